import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HistoryEntry, HistoryValue, MasterValue } from '@ha-postgres/cluster-state';
import { until } from '../../test/fixture/clock';
import { standbyReply } from '../../test/fixture/postgres';
import { address, masterValue, standby } from '../../test/fixture/values';
import { endWorlds, world, type World } from '../../test/fixture/world';
import { lockEffects } from './lock-effects';
import { runningEffects } from './running-effects';

afterEach(endWorlds);

/** Node `b` holds the lock in term 6, and its PostgreSQL has just been promoted. */
async function promoted(): Promise<World> {
  const w = world('--heartbeat-interval=50ms', '--unanswered-limit=50ms');
  const { parts, consul, postgres } = w;
  w.set(parts.keys.master, masterValue({ phase: 'draining', released: true }));
  w.set(parts.keys.members, { members: [address('a'), address('b')] });
  parts.disk.update({ dataTerm: 5 });
  await w.look();
  const decidedOn = consul.store.get(parts.keys.master)?.modifyIndex ?? 0;
  await lockEffects(parts).acquire({ type: 'acquire', term: 6, decidedOn, takeOver: false });
  postgres.sight = standby({ inRecovery: false, timeline: 2 });
  postgres.reply = (sql) => (sql.includes('replay') ? [{ fork: '0/5000060' }] : standbyReply(sql));
  return w;
}

const markRunning = (w: World, term = 6) => runningEffects(w.parts).markRunning({ type: 'markRunning', term });
const writeMembers = (w: World, ...nodes: string[]) =>
  runningEffects(w.parts).writeMembers({ type: 'writeMembers', members: nodes.map(address) });
const read = (w: World, key: string) => JSON.parse(w.consul.store.get(key)?.value ?? 'null') as unknown;
const historyOf = (w: World) => (read(w, w.parts.keys.history) as HistoryValue | null)?.promotions ?? [];

/** An entry of the history, of a promotion on timeline 1. */
const toldBy = (node: string, where: Pick<HistoryEntry, 'term' | 'parentTerm' | 'forkLsn'>): HistoryEntry => ({
  ...where,
  timeline: 1,
  node,
  from: null,
  why: '',
  at: '',
  tookMs: 1,
});

describe('to run as Master', () => {
  it('is said together with where the new history leaves the old one', async () => {
    const w = await promoted();
    await markRunning(w);
    // A beat that was sent meanwhile may have said what was before; the next says it again.
    await until('the key says so', () => (read(w, w.parts.keys.master) as MasterValue).phase === 'running');
    expect(read(w, w.parts.keys.master)).toMatchObject({ node: 'b', term: 6 });
    expect(historyOf(w)).toEqual([
      {
        term: 6,
        parentTerm: 5,
        timeline: 2,
        forkLsn: '0/5000060',
        node: 'b',
        from: 'a',
        why: 'took over from term 5',
        at: expect.stringMatching(/Z$/) as string,
        tookMs: expect.any(Number) as number,
      },
    ]);
    expect(w.parts.facts.hold?.view.phase).toBe('running');
  });

  it('keeps the history that was read before somebody overwrote it, and writes it again', async () => {
    const w = await promoted();
    await markRunning(w);
    const before = historyOf(w);
    w.set(w.parts.keys.history, 'garbage');
    await w.look();
    expect(w.parts.consul.historyIsUnreadable).toBe(true);
    await runningEffects(w.parts).rewriteHistory({ type: 'rewriteHistory', term: 6 });
    expect(historyOf(w)).toEqual(before);
    expect(w.parts.consul.historyIsUnreadable).toBe(false);
  });

  it('says in the history that an administrator let it', async () => {
    const w = await promoted();
    w.set(w.parts.keys.override, { id: 'o7', node: 'b', afterTerm: 5, by: 'ann', why: 'a burnt down' });
    await w.parts.consul.readSync(1000);
    await markRunning(w);
    expect(historyOf(w)[0]?.why).toBe('took over from term 5; override o7 by ann: a burnt down');
  });

  it.each([
    [{ term: 6, covered: true }, true],
    [{ term: 6 }, undefined],
    [{ term: 5, covered: true }, undefined],
  ])('says that nothing acknowledged is missing only where its own first rule does: %j', async (change, covered) => {
    const w = await promoted();
    const rule = { mode: 'quorum', k: 1, names: ['a'] } as const;
    w.set(w.parts.keys.sync, { version: 4, ...rule, previous: null, ...change });
    await w.parts.consul.readSync(1000);
    await markRunning(w);
    expect(historyOf(w)[0]?.covered).toBe(covered);
  });

  it('is on disk with the term of the data, for a controller that is restarted', async () => {
    const w = await promoted();
    await markRunning(w);
    expect(w.diskAgain()).toMatchObject({ hold: { phase: 'running', term: 6 } });
    expect(w.diskAgain().record).toMatchObject({ ledTerm: 6, dataTerm: 6 });
  });

  it('is known here at once, without the watch', async () => {
    const w = await promoted();
    await markRunning(w);
    expect(w.parts.consul.history).toMatchObject({ value: { promotions: [{ term: 6 }] } });
    expect(w.parts.consul.historyIndex).toBe(w.consul.store.get(w.parts.keys.history)?.modifyIndex);
  });

  it('keeps the promotions before it', async () => {
    const w = await promoted();
    await markRunning(w);
    w.set(w.parts.keys.history, { promotions: [{ ...historyOf(w)[0], term: 3 }, { ...historyOf(w)[0] }] });
    await w.look();
    await markRunning(w);
    expect(historyOf(w).map(({ term }) => term)).toEqual([3, 6]);
  });

  it('is not said when the history had moved; it is read again, and said the next time', async () => {
    const w = await promoted();
    w.set(w.parts.keys.history, { promotions: [] });
    await markRunning(w);
    expect(w.parts.facts.hold?.view).toMatchObject({ phase: 'waiting', lost: false });
    expect(w.log.of('lease.write-refused')[0]).toMatchObject({ why: 'changed' });
    expect(historyOf(w)).toEqual([]);
    await markRunning(w);
    expect(w.parts.facts.hold?.view.phase).toBe('running');
    expect(historyOf(w)).toHaveLength(1);
  });

  it('is not said by a hold of another term, or while the history is not known', async () => {
    const w = await promoted();
    await markRunning(w, 5);
    Object.assign(w.parts.consul, { history: { known: false, why: 'no answer' } });
    await markRunning(w);
    expect(w.parts.facts.hold?.view.phase).toBe('waiting');
    expect(historyOf(w)).toEqual([]);
  });
});

describe('what an earlier promotion of this node could not tell', () => {
  it('is told together with the next, as PostgreSQL’s history of timelines has it', async () => {
    const w = await promoted();
    const told = toldBy('a', { term: 4, parentTerm: 3, forkLsn: '0/3000000' });
    w.set(w.parts.keys.history, { promotions: [told] });
    await w.look();
    w.parts.disk.update({ led: [{ term: 5, parentTerm: 4 }] });
    w.postgres.sight = standby({ inRecovery: false, timeline: 3 });
    const wal = join(w.parts.config.dataDir, 'pg_wal');
    mkdirSync(wal, { recursive: true });
    writeFileSync(join(wal, '00000003.history'), '1\t0/4000000\tno reason\n2\t0/5000060\tno reason\n');
    await markRunning(w);
    expect(historyOf(w).map(({ term, parentTerm, forkLsn }) => [term, parentTerm, forkLsn])).toEqual([
      [4, 3, '0/3000000'],
      [5, 4, '0/4000000'],
      [6, 5, '0/5000060'],
    ]);
  });
});

describe('the timelines that the new Master went through', () => {
  it('stand in the newest entry only, for Replicas to be compared with', async () => {
    const w = await promoted();
    const left = [{ timeline: 1, at: '0/1000000' }];
    const told = { ...toldBy('a', { term: 5, parentTerm: 4, forkLsn: '0/1000000' }), timeline: 2, left };
    w.set(w.parts.keys.history, { promotions: [told] });
    await w.look();
    w.postgres.sight = standby({ inRecovery: false, timeline: 3 });
    const wal = join(w.parts.config.dataDir, 'pg_wal');
    mkdirSync(wal, { recursive: true });
    writeFileSync(join(wal, '00000003.history'), '1\t0/1000000\tno reason\n2\t0/5000060\tno reason\n');
    await markRunning(w);
    expect(historyOf(w).map((entry) => entry.left)).toEqual([undefined, [...left, { timeline: 2, at: '0/5000060' }]]);
  });

  it('show where it left the common one, also where it had nothing of the term that it grew from', async () => {
    const w = await promoted();
    const told = { ...toldBy('a', { term: 5, parentTerm: 4, forkLsn: '0/1000000' }), timeline: 2 };
    w.set(w.parts.keys.history, { promotions: [told] });
    await w.look();
    w.parts.disk.update({ led: [{ term: 6, parentTerm: 5, timeline: 1 }] });
    w.postgres.sight = standby({ inRecovery: false, timeline: 3 });
    const wal = join(w.parts.config.dataDir, 'pg_wal');
    mkdirSync(wal, { recursive: true });
    writeFileSync(join(wal, '00000003.history'), '1\t0/1000000\tno reason\n2\t0/5000060\tno reason\n');
    await markRunning(w);
    expect(historyOf(w).at(-1)?.forkLsn).toBe('0/1000000');
  });

  it('are none on timeline 1, and are not told where the history file cannot be read', async () => {
    const w = await promoted();
    await markRunning(w);
    expect(historyOf(w).at(-1)?.left).toBeUndefined();
    w.postgres.sight = standby({ inRecovery: false, timeline: 1 });
    await markRunning(w);
    expect(historyOf(w).at(-1)?.left).toEqual([]);
  });
});

describe('two promotions in one hold', () => {
  it('leave the parent’s history where the first of them did', async () => {
    const w = await promoted();
    const told = toldBy('a', { term: 5, parentTerm: 0, forkLsn: '0/1000000' });
    w.set(w.parts.keys.history, { promotions: [told] });
    await w.look();
    w.postgres.sight = standby({ inRecovery: false, timeline: 3 });
    const wal = join(w.parts.config.dataDir, 'pg_wal');
    mkdirSync(wal, { recursive: true });
    writeFileSync(join(wal, '00000003.history'), '1\t0/4000000\tno reason\n2\t0/5000060\tno reason\n');
    await markRunning(w);
    expect(historyOf(w).at(-1)).toMatchObject({ term: 6, parentTerm: 5, timeline: 3, forkLsn: '0/4000000' });
  });
});

describe('the list of members', () => {
  it('is written with a beat: those whom it adds must wait that one out', async () => {
    const w = await promoted();
    await writeMembers(w, 'a', 'b', 'c');
    const list = w.consul.store.get(w.parts.keys.members);
    expect(read(w, w.parts.keys.members)).toEqual({ members: ['a', 'b', 'c'].map(address) });
    expect(w.consul.store.get(w.parts.keys.master)?.modifyIndex).toBeGreaterThanOrEqual(list?.modifyIndex ?? Infinity);
    expect(w.parts.consul.members).toMatchObject({ value: { modifyIndex: list?.modifyIndex } });
    expect(w.parts.facts.pendingMembers).toEqual([]);
  });

  it('is asked for failsafe from before it is sent', async () => {
    const w = await promoted();
    const sent: unknown[] = [];
    w.fate = ({ operations }) => {
      if (operations.some(({ key }) => key === w.parts.keys.members)) sent.push(w.parts.facts.pendingMembers);
      return { toServerMs: 0, toClientMs: 0 };
    };
    await writeMembers(w, 'a', 'b', 'c');
    expect(sent).toEqual([['a', 'b', 'c'].map(address)]);
  });

  it('that may have been written, as nothing was answered, is asked for failsafe still', async () => {
    const w = await promoted();
    jest
      .spyOn(w.parts.facts.hold ?? ({} as never), 'write')
      .mockResolvedValue({ done: false, why: 'unanswered', errors: [], sentAt: 0 });
    await writeMembers(w, 'a', 'b', 'c');
    const pending = () => w.parts.facts.pendingMembers.map(({ node }) => node);
    expect(pending()).toEqual(['a', 'b', 'c']);
    // So is it when another is written meanwhile, and by a controller that is restarted.
    await writeMembers(w, 'a', 'b', 'd');
    expect(pending().sort()).toEqual(['a', 'b', 'c', 'd']);
    expect(w.diskAgain().pendingMembers.map(({ node }) => node)).toEqual(expect.arrayContaining(['c', 'd']));
    jest.restoreAllMocks();
    await writeMembers(w, 'a', 'b', 'd');
    expect(pending()).toEqual([]);
    expect(w.diskAgain().pendingMembers).toEqual([]);
  });

  it('that was refused is read again, and those it would have added need not be asked', async () => {
    const w = await promoted();
    w.set(w.parts.keys.members, { members: [address('b')] });
    await writeMembers(w, 'a', 'b', 'c');
    expect(read(w, w.parts.keys.members)).toEqual({ members: [address('b')] });
    expect(w.parts.consul.members).toMatchObject({ value: { members: [{ node: 'b' }] } });
    expect(w.parts.facts.pendingMembers).toEqual([]);
    expect(w.parts.facts.hold?.view.lost).toBe(false);
  });

  it('is not written without a hold', async () => {
    const w = await promoted();
    w.parts.facts.hold?.stop();
    w.parts.facts.hold = null;
    await writeMembers(w, 'x');
    expect(read(w, w.parts.keys.members)).toEqual({ members: [address('a'), address('b')] });
  });
});
