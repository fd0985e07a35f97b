import type { NodeStatus } from '@ha-postgres/cluster-state';
import { bootId, monotonicNow, nanosTextToMillis } from '@ha-postgres/service-kit';
import { address, masterValue } from '../../test/fixture/values';
import { thisMachine } from '../machine';
import { Publisher, type Saying } from './publisher';

function saying(change: Partial<Saying> = {}): Saying {
  const status = { ...address('b'), lsn: '0/1' } as unknown as NodeStatus;
  return {
    node: 'b',
    role: 'Replica',
    instruction: { kind: 'follow', upstream: null },
    term: 0,
    validUntil: monotonicNow() + 3000,
    master: null,
    ready: true,
    readyWhy: 'streams as Replica',
    lagBytes: 0,
    status: () => status,
    masterValue: null,
    ...change,
  };
}

const lead = (change: Partial<Saying> = {}) =>
  saying({ role: 'Master', instruction: { kind: 'lead', term: 6 }, term: 6, ...change });

describe('what the node is told', () => {
  it('is nothing at first', () => {
    const publisher = new Publisher(thisMachine());
    expect(publisher.published).toBeNull();
    expect(publisher.states.current.index).toBe(0);
  });

  it('has the boot, and the deadline in nanoseconds as it was given', () => {
    const publisher = new Publisher(thisMachine());
    publisher.say(lead({ validUntil: 123_456.789 }));
    expect(publisher.states.current).toMatchObject({ bootId: bootId(), validUntil: '123456789000' });
  });

  it('has an index above everything that a former process of this boot has told', () => {
    const former = new Publisher(thisMachine());
    for (let term = 1; term < 50; term += 1) former.say(lead({ instruction: { kind: 'lead', term } }));
    const publisher = new Publisher(thisMachine());
    publisher.say(saying());
    expect(publisher.states.current.index).toBeGreaterThan(former.states.current.index);
    expect(Number.isSafeInteger(publisher.states.current.index)).toBe(true);
  });

  it('has a higher index at every change, and is not told again without one', () => {
    const publisher = new Publisher(thisMachine());
    const first = saying();
    publisher.say(first);
    const { index } = publisher.states.current;
    publisher.say({ ...first, lagBytes: 7, validUntil: first.validUntil + 50 });
    expect(publisher.states.current.index).toBe(index);
    publisher.say({ ...first, ready: false });
    expect(publisher.states.current.index).toBeGreaterThan(index);
  });

  it('is told anew when readers are not to come any more, and not with each byte of the reason', () => {
    const publisher = new Publisher(thisMachine());
    publisher.say(saying({ whyNoReads: null }));
    const { index } = publisher.states.current;
    publisher.say(saying({ whyNoReads: '17 bytes behind' }));
    expect(publisher.states.current).toMatchObject({ whyNoReads: '17 bytes behind' });
    const left = publisher.states.current.index;
    expect(left).toBeGreaterThan(index);
    publisher.say(saying({ whyNoReads: '18 bytes behind' }));
    expect(publisher.states.current.index).toBe(left);
  });

  it("tells a right that grows, or ends earlier, at once; a Replica's validity only with a renewal", () => {
    const publisher = new Publisher(thisMachine());
    const now = monotonicNow();
    publisher.say(lead({ validUntil: now + 2000 }));
    publisher.say(lead({ validUntil: now + 2500 }));
    expect(nanosTextToMillis(publisher.states.current.validUntil)).toBeCloseTo(now + 2500, 3);
    publisher.say(lead({ validUntil: now + 10 }));
    expect(nanosTextToMillis(publisher.states.current.validUntil)).toBeCloseTo(now + 10, 3);
    publisher.say(saying({ validUntil: now + 3000 }));
    publisher.say(saying({ validUntil: now + 3500 }));
    expect(nanosTextToMillis(publisher.states.current.validUntil)).toBeCloseTo(now + 3000, 3);
  });

  it('tells of another Master at once, and of each of its beats only with a renewal', () => {
    const publisher = new Publisher(thisMachine());
    const first = saying({ masterValue: masterValue() });
    publisher.say(first);
    const { index } = publisher.states.current;
    publisher.say({ ...first, masterValue: masterValue({ beat: 2 }) });
    expect(publisher.states.current.index).toBe(index);
    publisher.say({ ...first, masterValue: masterValue({ term: 6 }) });
    expect(publisher.states.current.index).toBeGreaterThan(index);
  });

  it('is renewed a second after it was last told, though nothing changed', () => {
    const publisher = new Publisher(thisMachine());
    const clock = jest.spyOn(process.hrtime, 'bigint');
    try {
      clock.mockReturnValue(5_000_000_000n);
      const first = saying({ validUntil: 8000 });
      publisher.say(first);
      const { index } = publisher.states.current;
      clock.mockReturnValue(5_999_000_000n);
      publisher.say({ ...first, validUntil: 8999 });
      expect(publisher.states.current.index).toBe(index);
      clock.mockReturnValue(6_000_000_000n);
      publisher.say({ ...first, validUntil: 9000 });
      expect(publisher.states.current).toMatchObject({ validUntil: '9000000000' });
    } finally {
      clock.mockRestore();
    }
  });
});

describe('the index since which an instruction stands', () => {
  it('stays while the instruction is the same, whatever else is told', () => {
    const publisher = new Publisher(thisMachine());
    publisher.say(lead({ validUntil: 2000 }));
    const since = publisher.published;
    expect(since?.instructionIndex).toBe(publisher.states.current.index);
    for (let i = 1; i < 10; i += 1) publisher.say(lead({ validUntil: 2000 + i, ready: i % 2 === 0 }));
    expect(publisher.states.current.index).toBeGreaterThan(since?.instructionIndex ?? Infinity);
    expect(publisher.published).toEqual(since);
  });

  it('is that of the answer which first said so', () => {
    const publisher = new Publisher(thisMachine());
    publisher.say(lead());
    publisher.say(saying({ instruction: { kind: 'stop', mode: 'immediate', why: 'lost' } }));
    expect(publisher.published).toMatchObject({
      instruction: { kind: 'stop' },
      instructionIndex: publisher.states.current.index,
    });
    publisher.say(saying({ instruction: { kind: 'stop', mode: 'immediate', why: 'another reason' } }));
    expect(publisher.published?.instructionIndex).toBe(publisher.states.current.index);
  });
});
