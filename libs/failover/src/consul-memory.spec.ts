import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { VoteAnswer } from '@ha-postgres/cluster-state';
import { consulWentBack } from './consul-memory';
import { decide } from './decide';
import type { Observation } from './observation';
import { mayVote } from './peers';
import { anySituation } from './testing/arbitrary';
import {
  EMPTY,
  INITIALISED,
  NOW,
  address,
  known,
  masterEntry,
  masterValue,
  readyToPromote,
  replica,
  runner,
  runningMaster,
  seen,
  syncValue,
  unknown,
  vote,
} from './testing/observations';
import { takeoverOutlook } from './takeover';

const disk = replica().disk;
const master = (node: string, term: number, modifyIndex = 100) =>
  known({ entry: masterEntry(masterValue(node, { term }), { modifyIndex }) });

describe('Consul’s memory', () => {
  it.each<[string, Partial<Observation>]>([
    ['the master key is gone', { master: known({ entry: null }) }],
    ['seen: term 6', { disk: { ...disk, highestTerm: 6 } }],
    ['index 101', { disk: { ...disk, highestModifyIndex: 101 } }],
    ["term 5 was c's, and now is a's", { disk: { ...disk, highestTermNode: 'c' } }],
    ["term 5 was another node's", { disk: { ...disk, highestTermNode: '' } }],
    ['seen: epoch 2', { disk: { ...disk, epoch: 2 }, epoch: known({ number: 1 }) }],
  ])('went back: %s', (why, change) => {
    expect(consulWentBack(replica(change))).toContain(why);
  });

  it.each<[string, Partial<Observation>]>([
    ['what was seen before', {}],
    ['more', { master: master('c', 6, 101) }],
    ['the same holder again', { disk: { ...disk, highestTermNode: 'a' } }],
    ['a newer epoch', { epoch: known({ number: 3 }) }],
    ['no epoch yet', { disk: { ...disk, epoch: 2 }, epoch: unknown() }],
    ['nothing', { master: unknown() }],
  ])('did not where it says %s', (_, change) => {
    expect(consulWentBack(replica(change))).toBeNull();
  });

  it('that went back makes nobody acquire, whatever else is the case', () => {
    const cases = fc.sample(anySituation, { numRuns: 30_000, seed: 20_261_123 });
    const wentBack = cases.filter(({ o }) => consulWentBack(o) !== null);
    expect(wentBack.length).toBeGreaterThan(1000);
    const acquiring = wentBack.filter(({ o, memory }) =>
      decide(o, memory).actions.some(
        ({ type }) => type === 'acquire' || (type === 'lockInitialize' && o.disk.highestTerm > 0),
      ),
    );
    expect(acquiring.slice(0, 1)).toEqual([]);
  });
});

describe('a holder that is told', () => {
  const told = (change: Partial<VoteAnswer>, more: Partial<Observation> = {}) =>
    decide(
      readyToPromote({
        votes: { term: 6, startedAt: NOW - 50, complete: true, answers: [vote('c', { granted: false, ...change })] },
        ...more,
      }),
    );

  const nothing = { term: 0, modifyIndex: null, syncVersion: 0 };
  const MORE = 'holderGivesUpWhenAMemberHasSeenMoreOfConsul';

  it.each<[string, Partial<VoteAnswer>, string, object]>([
    ['that its term was run', { dataTerm: 6 }, 'holderGivesUpATermThatAnotherRan', { term: 6 }],
    ['that a newer one was run', { dataTerm: 7 }, 'holderGivesUpATermThatAnotherRan', { term: 7 }],
    ['of a newer term', { seen: seen({ term: 7 }) }, MORE, { term: 7 }],
    ['that its term was another’s', { seen: seen({ term: 6, termNode: 'a' }) }, MORE, { term: 6 }],
    [
      'that Consul went back by its index',
      { seen: seen({ modifyIndex: 900, wentBack: 'index' }) },
      MORE,
      { modifyIndex: 900 },
    ],
    ['of a rule that Consul has forgotten', { seen: seen({ syncVersion: 2 }) }, MORE, { syncVersion: 2 }],
  ])('%s gives its hold up, and remembers it', (_, change, rule, remembered) => {
    const decision = told(change);
    expect(decision).toMatchObject({ rule, instruction: { kind: 'follow', upstream: null } });
    expect(decision.actions).toContainEqual({ type: 'recordForeignTerm', ...nothing, ...remembered });
    expect(decision.memory.ending).toMatchObject({ stops: false });
  });

  const of7 = { seen: seen({ term: 7, termNode: null }) };
  it.each<[string, Partial<VoteAnswer>, Partial<Observation>]>([
    ['of its own term', { seen: seen({ term: 6, termNode: 'b' }) }, {}],
    ['of a vote in its own term', { seen: seen({ term: 6, termNode: null }) }, {}],
    ['nothing, by an older version', {}, {}],
    [
      'of what it has seen itself',
      { seen: seen({ syncVersion: 3 }) },
      { sync: known({ value: syncValue(), isReadable: true }) },
    ],
    [
      'of a rule before it has read its own',
      { seen: seen({ syncVersion: 9 }) },
      { sync: known({ value: null, isReadable: true }, NOW - 9000) },
    ],
    ['of terms before an administrator named the Master', of7, { disk: { ...disk, epoch: 1 } }],
    ['of a newer term after it has promoted', of7, { disk: { ...disk, ledTerm: 6, dataTerm: 6 } }],
  ])('%s goes on', (_, change, more) => {
    expect(told(change, more).memory.ending).toBeNull();
  });
});

describe('a Replica of a term that another node has taken once more', () => {
  const seeing = (change: Partial<Observation['disk']>) => decide(replica({ disk: { ...disk, ...change } }));

  it.each<[string, Partial<Observation['disk']>]>([
    ['was another’s', { highestTermNode: 'c' }],
    ['is older than what it has seen', { highestTerm: 7, highestTermNode: 'c' }],
  ])('receives nothing from it where that term %s', (_, change) => {
    expect(seeing(change)).toMatchObject({
      rule: 'replicaWaitsForTheHistory',
      instruction: { kind: 'follow', upstream: null },
    });
  });

  it.each<[string, Partial<Observation['disk']>]>([
    ['where it knows that one', { highestTermNode: 'a' }],
    ['where it does not know whose it was', { highestTermNode: null }],
    ['where a member was said to have it', { highestTermNode: '' }],
    ['after Consul went back within the term', { highestTermNode: 'a', highestModifyIndex: 9000 }],
  ])('goes on following %s', (_, change) => {
    expect(seeing(change).rule).toBe('replicaFollowsTheRunningMaster');
  });
});

describe('a vote', () => {
  it('is refused for a term of which there is data already: its holder’s Consul has forgotten it', () => {
    const o = replica({ disk: { ...disk, highestTerm: 6, dataTerm: 6 } });
    expect(mayVote(o, { term: 6, candidate: 'c' })).toEqual({ agree: false, why: 'has data of term 6 already' });
    expect(mayVote(o, { term: 7, candidate: 'c' }).agree).toBe(true);
  });
});

describe('a Consul that knows of no cluster', () => {
  const lost = (change: Partial<Observation> = {}) =>
    replica({
      master: known({ entry: null }),
      initialize: known({ value: null, modifyIndex: null, session: null }),
      ...change,
    });
  const restores = (o: Observation) => decide(o).actions.filter(({ type }) => type === 'restoreInitialize');

  it('is told by a node with data that there is one, over an empty node’s claim too', () => {
    const { systemId } = INITIALISED;
    expect(restores(lost())).toEqual([{ type: 'restoreInitialize', systemId, over: null }]);
    const claimed = lost({ initialize: known({ value: { node: 'c', systemId: null }, modifyIndex: 7, session: 's' }) });
    expect(restores(claimed)).toEqual([{ type: 'restoreInitialize', systemId, over: 7 }]);
  });

  it('is told so also by a DeadMaster', () => {
    expect(restores(lost({ disk: { ...disk, deadMaster: true } }))).toHaveLength(1);
  });

  it.each<[string, Partial<Observation>]>([
    ['an empty node', { runner: runner({ data: EMPTY }) }],
    ['a node that was never part of a cluster', { disk: { ...disk, highestTerm: 0 } }],
    ['a directory fresh from initdb', { runner: runner({ data: { ...INITIALISED, fresh: true } }) }],
    ['a node that does not know what Consul says', { initialize: unknown() }],
    ['a node that sees a master key', { master: master('a', 5) }],
    ['a node that reads which cluster there is', { initialize: replica().initialize }],
  ])('is not told by %s', (_, change) => {
    expect(restores(lost(change))).toEqual([]);
  });

  it('is no place for initdb any more once it knows of a cluster: the creator wipes what it made', () => {
    const fresh = { ...INITIALISED, fresh: true, systemId: '7' };
    const o = replica({
      ...{ master: known({ entry: null }), holdsInitialize: true },
      disk: { ...disk, highestTerm: 0, dataTerm: 0 },
    });
    expect(decide({ ...o, runner: runner({ data: fresh }) }).instruction?.kind).toBe('wipe');
    expect(decide({ ...o, runner: runner({ data: EMPTY }) }).instruction?.kind).toBe('wait');
  });
});

describe('a key that somebody has overwritten with garbage', () => {
  it('initialize is written again, also beside a Master', () => {
    const o = replica({ initialize: known({ value: null, modifyIndex: 7, session: null }) });
    expect(decide(o).actions).toContainEqual({ type: 'restoreInitialize', systemId: INITIALISED.systemId, over: 7 });
  });

  it('history is written again by a Master that has read it before, and by nobody else', () => {
    const promotion = {
      ...{ term: 6, parentTerm: 5, timeline: 2, forkLsn: '0/5000000', node: 'b' },
      from: 'a',
      why: '',
      at: '',
      tookMs: 1,
    };
    const history = known({ promotions: [promotion] });
    const told = (o: Observation) => decide(o).actions.filter(({ type }) => type === 'rewriteHistory');
    expect(told(runningMaster({ history, historyIsUnreadable: true }))).toEqual([{ type: 'rewriteHistory', term: 6 }]);
    expect(told(runningMaster({ history, historyIsUnreadable: false }))).toEqual([]);
    expect(told(runningMaster({ history: known({ promotions: [] }), historyIsUnreadable: true }))).toEqual([]);
    expect(told(replica({ history, historyIsUnreadable: true }))).toEqual([]);
  });

  it('members: nobody takes over by it, and the Master writes the list again', () => {
    const members = known({ members: [address('a'), address('b')], modifyIndex: 60, unreadable: true });
    const free = known({
      entry: masterEntry(masterValue('a', { released: true }), { session: null, modifyIndex: 100 }),
    });
    expect(takeoverOutlook(replica({ members, master: free }))).toMatchObject({
      able: false,
      why: 'the list of members cannot be read',
    });
    const master = runningMaster({ members, reachableReplicas: [address('a')] });
    expect(decide(master).actions).toEqual([{ type: 'writeMembers', members: [address('a'), address('b')] }]);
  });
});
