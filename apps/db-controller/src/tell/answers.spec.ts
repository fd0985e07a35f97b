import type { RunnerReport } from '@ha-postgres/cluster-state';
import { monotonicNow } from '@ha-postgres/service-kit';
import { parseLsn } from '@ha-postgres/lsn';
import { until } from '../../test/fixture/clock';
import { standbyReply } from '../../test/fixture/postgres';
import { LSN, address, masterValue, runnerReport, standby, stoppedReport } from '../../test/fixture/values';
import { endWorlds, world, type World } from '../../test/fixture/world';
import { Answers } from './answers';

afterEach(endWorlds);

/** Node `b` streams from `a`; its runner obeys what is published, if told to, and then reports the change. */
function replica(obeys: Partial<RunnerReport> | null = null): {
  w: World;
  answers: Answers;
  report: (change: Partial<RunnerReport>) => void;
} {
  const w = world();
  const { parts, postgres } = w;
  const { facts, publisher } = parts;
  postgres.reply = standbyReply;
  const say = (upstream: 'a' | null) =>
    publisher.say({
      node: 'b',
      role: 'Replica',
      instruction: { kind: 'follow', upstream: upstream === null ? null : { ...address(upstream), term: 5 } },
      term: 0,
      validUntil: monotonicNow() + 3000,
      master: null,
      ready: true,
      readyWhy: '',
      lagBytes: 0,
      status: () => ({}) as never,
      masterValue: null,
    });
  say('a');
  const report = (change: Partial<RunnerReport>) => {
    const obeysIndex = publisher.published?.instructionIndex ?? 0;
    facts.runner = { known: true, seenAt: monotonicNow(), value: runnerReport({ obeysIndex, ...change }) };
  };
  report({ receivingFrom: 'a' });
  // As the loop does: a poke after the vote was recorded publishes that this node receives from nobody.
  const original = parts.poke;
  Object.assign(parts, {
    poke: () => {
      original();
      setImmediate(() => {
        say(null);
        if (obeys !== null) report(obeys);
      });
    },
  });
  return { w, answers: new Answers(parts, w.observation), report };
}

const CUT_OFF = { receivingFrom: null };
const question = (term: number) => ({ term, candidate: 'c' });

describe('a vote', () => {
  // Ten times as much time as in production: a busy machine's disk must not refuse in place of the rule that is tested.
  let clock: jest.SpyInstance<bigint>;
  beforeEach(() => {
    const now = process.hrtime.bigint.bind(process.hrtime);
    const start = now();
    clock = jest.spyOn(process.hrtime, 'bigint').mockImplementation(() => start + (now() - start) / 10n);
  });
  afterEach(() => clock.mockRestore());

  it('is given once the runner has cut the receiver off and none is left, with the position read after that', async () => {
    const { w, answers } = replica(CUT_OFF);
    w.postgres.onRead = () => {
      expect(w.postgres.asked.filter((sql) => sql.includes('walreceiver')).length).toBeGreaterThanOrEqual(2);
      w.postgres.sight = standby({ lsn: parseLsn('0/6000000') });
    };
    const vote = await answers.vote(question(7));
    expect(vote).toMatchObject({ node: 'b', term: 7, granted: true, lsn: '0/6000000', replayed: true });
    expect(w.postgres.asked[0]).toContain('pg_wal_replay_resume');
  });

  it('tells what this node has seen of Consul, also where it is refused', async () => {
    const { w, answers } = replica(CUT_OFF);
    w.parts.disk.update({ highestTerm: 8, highestTermNode: 'a', highestSyncVersion: 3, highestModifyIndex: 70 });
    const seen = { epoch: 0, term: 8, termNode: 'a', syncVersion: 3 };
    expect(await answers.vote(question(7))).toMatchObject({ granted: false, seen });
    expect(await answers.vote(question(9))).toMatchObject({ seen: { ...seen, term: 9, termNode: null } });
  });

  it('tells that Consul went back, and by which index', async () => {
    const { w, answers } = replica(CUT_OFF);
    w.set(w.parts.keys.master, masterValue({ term: 7, node: 'c' }));
    await w.look();
    w.parts.disk.update({ highestTerm: 5 });
    expect(await answers.vote(question(7))).toMatchObject({ seen: { wentBack: null } });
    w.parts.disk.saw(5, 9000);
    const wentBack = expect.stringContaining('index 9000') as string;
    expect(await answers.vote(question(7))).toMatchObject({ seen: { modifyIndex: 9000, wentBack } });
  });

  it('does not judge the memory of the one who asks by an answer that is older than his hold', async () => {
    const { w, answers } = replica(CUT_OFF);
    w.set(w.parts.keys.master, masterValue({ term: 6, node: 'a' }));
    await w.look();
    w.parts.disk.saw(6, 9000);
    expect(await answers.vote(question(7))).toMatchObject({ seen: { modifyIndex: 9000, wentBack: null } });
  });

  it('is on disk before anything else happens', async () => {
    const { w, answers } = replica();
    const vote = answers.vote(question(7));
    expect(w.diskAgain().votedTerm).toBe(7);
    expect(w.postgres.asked).toEqual([]);
    await vote;
  });

  it('is refused, within its time, while the runner still receives', async () => {
    const { w, answers } = replica();
    expect(await answers.vote(question(7))).toMatchObject({
      granted: false,
      why: expect.stringContaining('runner') as string,
    });
    expect(w.postgres.asked).toEqual([]);
  });

  it('is waited for as long as the candidate waits', async () => {
    const { w, answers, report } = replica();
    const askedAt = w.parts.clock.now();
    const vote = answers.vote({ ...question(7), withinMs: 350 });
    await until('a vote would be late otherwise', () => w.parts.clock.now() > askedAt + 150);
    report(CUT_OFF);
    expect(await vote).toMatchObject({ granted: true });
  });

  it("is refused when the runner's word is from before the answer that cuts the receiver off", async () => {
    const { answers, report, w } = replica();
    const old = w.parts.publisher.published?.instructionIndex ?? 0;
    report({ receivingFrom: null, obeysIndex: old - 1 });
    expect(await answers.vote(question(7))).toMatchObject({ granted: false });
  });

  it('is refused when a receiver is still there, though the runner cut it off', async () => {
    const { w, answers } = replica(CUT_OFF);
    w.postgres.reply = () => [{ receivers: 1, may_read_all_stats: true, user_name: 'controller' }];
    expect(await answers.vote(question(7))).toMatchObject({
      granted: false,
      why: expect.stringContaining('WAL receiver did not stop') as string,
    });
  });

  it('is refused with the reason when PostgreSQL cannot be asked', async () => {
    const { w, answers } = replica(CUT_OFF);
    w.postgres.reply = () => Promise.reject(new Error('connection refused'));
    expect(await answers.vote(question(7))).toMatchObject({ granted: false, why: 'connection refused' });
  });

  it('says of a position that is not replayed to its end that it does not count', async () => {
    const { w, answers } = replica(CUT_OFF);
    w.postgres.onRead = () => (w.postgres.sight = standby({ replayed: false }));
    expect(await answers.vote(question(7))).toMatchObject({ granted: true, replayed: false });
  });

  it('is given at once by a node whose PostgreSQL is stopped, but not on an old word of that', async () => {
    const { w, answers } = replica();
    const { facts, publisher } = w.parts;
    const obeysIndex = publisher.published?.instructionIndex ?? 0;
    facts.runner = { known: true, seenAt: 0, value: stoppedReport({ obeysIndex: obeysIndex - 1 }) };
    expect(await answers.vote(question(7))).toMatchObject({ granted: false });
    facts.runner = { known: true, seenAt: 0, value: stoppedReport({ obeysIndex: Number.MAX_SAFE_INTEGER }) };
    expect(await answers.vote(question(8))).toMatchObject({ granted: true });
    expect(w.postgres.asked).toEqual([]);
  });

  it.each([
    ['an older term than it voted in', { votedTerm: 9, highestTerm: 0 }, /term 9/],
    ['an older term than it has seen', { votedTerm: 0, highestTerm: 8 }, /term 8/],
  ])('is refused for %s, and nothing is done for it', async (_, known, why) => {
    const { w, answers } = replica();
    w.parts.disk.update(known);
    expect(await answers.vote(question(7))).toMatchObject({
      granted: false,
      why: expect.stringMatching(why) as string,
    });
    expect(w.parts.disk.votedTerm).toBe(known.votedTerm);
    expect(w.pokes).toBe(0);
  });

  it('says whether this node would take over itself', async () => {
    const { w, answers } = replica(CUT_OFF);
    expect(await answers.vote(question(7))).toMatchObject({ granted: true, candidate: false, failoverPriority: 0 });
    w.set(w.parts.keys.master, masterValue());
    w.set(w.parts.keys.members, { members: [address('a'), address('b')] });
    w.parts.disk.update({ dataTerm: 5 });
    const session = w.otherSession();
    w.write({ verb: 'lock', key: w.parts.keys.master, value: JSON.stringify(masterValue({ term: 8 })), session });
    await w.look();
    expect(await answers.vote(question(8))).toMatchObject({ lsn: LSN, dataTerm: 5, candidate: false });
    w.parts.disk.update({ dataTerm: 8 });
    expect(await answers.vote(question(9))).toMatchObject({ candidate: true });
  });
});

describe('consent to failsafe', () => {
  const request = { term: 5, holder: 'a' };

  function member(): { w: World; answers: Answers } {
    const w = world();
    w.parts.disk.update({ highestTerm: 5 });
    return { w, answers: new Answers(w.parts, w.observation) };
  }

  it('is a promise that is on disk before it is said, for L + δ from its receipt', () => {
    const { w, answers } = member();
    const before = monotonicNow();
    expect(answers.failsafe(request)).toMatchObject({ node: 'b', term: 5, agree: true });
    const { promisedUntil } = w.diskAgain().record;
    expect(promisedUntil).toBeGreaterThanOrEqual(before + 3300);
    expect(promisedUntil).toBeLessThanOrEqual(monotonicNow() + 3300);
  });

  it('is not said when the disk does not take it', () => {
    const { w, answers } = member();
    jest.spyOn(w.parts.disk, 'promise').mockImplementation(() => {
      throw new Error('no space left on device');
    });
    expect(() => answers.failsafe(request)).toThrow('no space left');
  });

  it.each([
    ['an older term', (w: World) => w.parts.disk.update({ highestTerm: 6 }), /term 6/],
    ['an older term than a vote', (w: World) => w.parts.disk.update({ votedTerm: 6 }), /term 6/],
    ['anyone while an acquire of its own is under way', (w: World) => (w.parts.facts.acquiring = true), /taken/],
    ['anyone while its stored hold is asked for', (w: World) => (w.parts.facts.resuming = true), /taken/],
  ])('is refused to %s, without a promise', (_, change, why) => {
    const { w, answers } = member();
    change(w);
    expect(answers.failsafe(request)).toMatchObject({ agree: false, why: expect.stringMatching(why) as string });
    expect(w.diskAgain().record.promisedUntil).toBe(Number.NEGATIVE_INFINITY);
  });

  it('is refused as long as Consul answers here', async () => {
    const { w, answers } = member();
    w.set(w.parts.keys.master, masterValue());
    await w.look();
    expect(answers.failsafe(request)).toMatchObject({ agree: false, why: 'Consul answers here' });
    await until('a heartbeat without an answer has passed', () => answers.failsafe(request).agree);
  });

  it('is refused to one who does not hold the term that it names', async () => {
    const { w, answers } = member();
    w.set(w.parts.keys.master, masterValue());
    await w.look();
    expect(answers.failsafe({ term: 5, holder: 'x' })).toMatchObject({ agree: false, why: 'term 5 is held by a' });
  });
});
