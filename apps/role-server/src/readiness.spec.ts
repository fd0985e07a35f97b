import type { ControllerState, Role } from '@ha-postgres/cluster-state';
import fc from 'fast-check';
import { BOOT_ID, sampleState } from '../test/fixture/sample-state';
import { answerReadiness, type Readiness, type Wanted } from './readiness';

const now = { bootId: BOOT_ID, nanos: 1_000_000_000n };

function ask(changes: Partial<ControllerState>, wanted: Wanted = {}, at = now): Readiness {
  const state = sampleState(changes);
  return answerReadiness({ index: state.index, state }, wanted, at);
}

describe('readiness', () => {
  it('is no before anything is known', () => {
    expect(answerReadiness({ index: 0, state: null }, {}, now)).toMatchObject({ ready: false });
  });

  it('is what db-controller says while its state is valid', () => {
    expect(ask({})).toEqual({ ready: true, why: 'streaming' });
    expect(ask({ ready: false, readyWhy: 'not streaming' })).toEqual({ ready: false, why: 'not streaming' });
    expect(ask({ role: null }).ready).toBe(false);
  });

  it('ends with the very nanosecond of validUntil', () => {
    expect(ask({}, {}, { ...now, nanos: 1_999_999_999n }).ready).toBe(true);
    expect(ask({}, {}, { ...now, nanos: 2_000_000_000n }).ready).toBe(false);
    expect(ask({}, {}, { ...now, nanos: 2_500_000_000n }).why).toBe('the state ended to be valid 500 ms ago');
  });

  it('compares nanoseconds exactly where doubles could not', () => {
    const validUntil = '9007199254740993';
    expect(ask({ validUntil }, {}, { ...now, nanos: 9_007_199_254_740_992n }).ready).toBe(true);
    expect(ask({ validUntil }, {}, { ...now, nanos: 9_007_199_254_740_993n }).ready).toBe(false);
  });

  it('is no for a state of another boot, whatever its deadline', () => {
    expect(ask({ bootId: 'another' }).why).toContain('another');
  });

  it.each<[Role, Wanted, boolean]>([
    ['Master', { role: 'Master' }, true],
    ['Master', { role: 'Replica' }, false],
    ['Replica', { role: 'Replica' }, true],
    ['Replica', { role: 'Master' }, false],
    ['Replica', { role: 'Replica', lagBytesMax: 1024 }, true],
    ['Replica', { role: 'Replica', lagBytesMax: 1023 }, false],
    ['Replica', { lagBytesMax: 1023 }, false],
    ['Master', { role: 'Master', lagBytesMax: 0 }, true],
  ])('of a %s for %j is %s', (role, wanted, ready) => {
    expect(ask({ role }, wanted).ready).toBe(ready);
  });

  it('is no for who wants to read of a Replica that is not for reads, with the reason, and yes for who asks for its health', () => {
    const whyNoReads = 'tagged noLoadBalance';
    expect(ask({ whyNoReads }, { role: 'Replica' })).toEqual({ ready: false, why: whyNoReads });
    expect(ask({ whyNoReads })).toMatchObject({ ready: true });
    expect(ask({ whyNoReads: null }, { role: 'Replica' })).toMatchObject({ ready: true });
  });

  it('is no for a lag that nobody knows', () => {
    expect(ask({ lagBytes: null }, { lagBytesMax: 10 ** 9 })).toEqual({ ready: false, why: 'the lag is not known' });
    expect(ask({ lagBytes: null })).toMatchObject({ ready: true });
  });

  it('is never yes for a DeadMaster, nor past the validity', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<Role | null>('Master', 'Replica', 'DeadMaster', null),
        fc.boolean(),
        fc.option(fc.nat(10_000)),
        fc.bigInt(0n, 4_000_000_000n),
        fc.record(
          { role: fc.constantFrom<'Master' | 'Replica'>('Master', 'Replica'), lagBytesMax: fc.nat(10_000) },
          { requiredKeys: [] },
        ),
        (role, ready, lagBytes, nanos, wanted) => {
          const answer = ask({ role, ready, lagBytes }, wanted, { ...now, nanos });
          const mayBeReady = ready && nanos < 2_000_000_000n && role !== null && role !== 'DeadMaster';
          return !answer.ready || (mayBeReady && (wanted.role === undefined || wanted.role === role));
        },
      ),
    );
  });
});
