import type { NodeAddress } from '@ha-postgres/cluster-state';
import { monotonicNow } from '@ha-postgres/service-kit';
import { until } from '../../test/fixture/clock';
import { address } from '../../test/fixture/values';
import { endWorlds, world, type World } from '../../test/fixture/world';
import { peerEffects } from './peer-effects';

afterEach(endWorlds);

/** Node `b` holds term 6; `a`, `b` and `c` are the members. */
async function holder() {
  const w = world();
  w.set(w.parts.keys.members, { members: ['a', 'b', 'c'].map(address) });
  await w.look();
  const extendTo = jest.fn<boolean, [number]>(() => true);
  const hold = { facts: { term: 6, last: null }, extendTo, stop: () => undefined };
  w.parts.facts.hold = hold as never;
  return { w, hold, extendTo };
}

/** Answers questions of failsafe by node; keeps who was asked. */
function answering(w: World, agree: (node: string) => boolean | null): string[] {
  const asked: string[] = [];
  jest.spyOn(w.parts.peers, 'failsafe').mockImplementation(({ node }: NodeAddress, { term }) => {
    asked.push(node);
    const consent = agree(node);
    return Promise.resolve(consent === null ? null : { node, term, agree: consent, why: 'because' });
  });
  return asked;
}

const ask = (w: World, term = 6) => peerEffects(w.parts).askFailsafe({ type: 'askFailsafe', term });

describe('votes', () => {
  it('that were given count for the whole term, also when their givers do not answer again', async () => {
    const { w } = await holder();
    let answers: readonly string[] = ['a'];
    const limits: number[] = [];
    jest.spyOn(w.parts.peers, 'vote').mockImplementation(({ node }: NodeAddress, { term, withinMs }, limitMs) => {
      // A late answer counts in the next round.
      expect(limitMs).toBe(500);
      limits.push(withinMs ?? 0);
      const said = {
        node,
        term,
        why: '',
        dataTerm: 5,
        lsn: '0/1',
        replayed: true,
        candidate: true,
        failoverPriority: 0,
      };
      return Promise.resolve(answers.includes(node) ? { ...said, granted: true } : null);
    });
    const collect = () => peerEffects(w.parts).collectVotes({ type: 'collectVotes', term: 6 });
    await collect();
    const first = w.parts.facts.votes;
    answers = ['c'];
    await collect();
    const { votes } = w.parts.facts;
    expect(votes?.answers.map(({ node }) => node).sort()).toEqual(['a', 'c']);
    expect(votes).toMatchObject({ startedAt: first?.startedAt, complete: true });
    expect(votes?.askedAt).toBeGreaterThan(first?.askedAt ?? Infinity);
    // Who is asked again is given longer, and knows it.
    expect(limits).toEqual([150, 150, 350, 350]);
  });
});

describe('failsafe', () => {
  it('extends the lease to L after the questions were sent, when every other member agreed', async () => {
    const { w, extendTo } = await holder();
    let answeredAt = 0;
    const asked = answering(w, () => {
      answeredAt = monotonicNow();
      return true;
    });
    const before = monotonicNow();
    await ask(w);
    expect(asked).toEqual(['a', 'c']);
    const [[endsAt] = [NaN]] = extendTo.mock.calls;
    expect(endsAt).toBeGreaterThanOrEqual(before + 3000);
    expect(endsAt).toBeLessThanOrEqual(answeredAt + 3000);
  });

  it.each([
    ['one refuses', (node: string) => node !== 'c'],
    ['one does not answer', (node: string) => (node === 'a' ? null : true)],
  ])('extends nothing when %s, and says who', async (_, agree) => {
    const { w, extendTo } = await holder();
    answering(w, agree);
    await ask(w);
    expect(extendTo).not.toHaveBeenCalled();
    expect(w.log.of('failsafe.asked')[0]).toMatchObject({ extended: false, refusals: [{}] });
  });

  it('asks those too who are being added to the list, each once', async () => {
    const { w } = await holder();
    w.parts.facts.pendingMembers = ['a', 'b', 'd'].map(address);
    const asked = answering(w, () => true);
    await ask(w);
    expect(asked).toEqual(['a', 'c', 'd']);
  });

  it('asks nobody, and extends nothing, where the members are not known', async () => {
    const { w, extendTo } = await holder();
    Object.assign(w.parts.consul, { members: { known: false, why: 'no answer' } });
    const asked = answering(w, () => true);
    await ask(w);
    expect(asked).toEqual([]);
    expect(extendTo).not.toHaveBeenCalled();
  });

  it('extends nothing for a hold that is not the one that asked', async () => {
    const { w, extendTo } = await holder();
    answering(w, () => {
      w.parts.facts.hold = { facts: { term: 7 }, extendTo, stop: () => undefined } as never;
      return true;
    });
    await ask(w);
    await ask(w, 5);
    expect(extendTo).not.toHaveBeenCalled();
  });

  it('is remembered as asked, also in vain, so that it is not asked all the time', async () => {
    const { w } = await holder();
    answering(w, () => false);
    const before = monotonicNow();
    await ask(w);
    expect(w.parts.facts.lastFailsafeAskAt).toBeGreaterThanOrEqual(before);
  });
});

describe('votes', () => {
  it('are those of the members that answered, complete only when all have, or their time is over', async () => {
    const { w } = await holder();
    w.parts.facts.runner = { known: false, why: '' };
    const resolvers: (() => void)[] = [];
    const answer = { node: 'a', term: 6, granted: true, why: '' } as never;
    jest.spyOn(w.parts.peers, 'vote').mockImplementation(
      ({ node }, request) =>
        new Promise((resolve) => {
          expect(request).toEqual({ term: 6, candidate: 'b', withinMs: 150 });
          resolvers.push(() => resolve(node === 'a' ? answer : null));
        }),
    );
    const done = peerEffects(w.parts).collectVotes({ type: 'collectVotes', term: 6 });
    await until('both are asked', () => resolvers.length === 2);
    expect(w.parts.facts.votes).toMatchObject({ term: 6, complete: false, answers: [] });
    for (const resolve of resolvers) resolve();
    await done;
    expect(w.parts.facts.votes).toMatchObject({ term: 6, complete: true, answers: [answer] });
    expect(w.log.of('votes.own-position')).toHaveLength(1);
  });
});
