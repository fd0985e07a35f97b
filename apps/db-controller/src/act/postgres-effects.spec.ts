import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Hold } from '@ha-postgres/failover';
import { ServerFailure } from '@ha-postgres/pg-health';
import { codeOf, millisToNanosText, monotonicNow } from '@ha-postgres/service-kit';
import { until } from '../../test/fixture/clock';
import { runnerReport } from '../../test/fixture/values';
import { endWorlds, world, type World } from '../../test/fixture/world';
import { postgresEffects } from './postgres-effects';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  endWorlds();
});

/** `b` holds term 6, waited out and armed: only the promotion is left. */
function ready(change: Partial<Hold> = {}, ...flags: string[]) {
  const w = world(...flags);
  const { facts, consul } = w.parts;
  const now = monotonicNow();
  consul.sawSync(null, { sentAt: now, receivedAt: now });
  const hold = {
    view: {
      term: 6,
      phase: 'waiting',
      acquiredAt: now,
      endsAt: now + 60_000,
      lost: false,
      unansweredSince: null,
      waitUntil: Number.NEGATIVE_INFINITY,
      predecessor: { node: 'a', term: 5 },
      last: null,
      ...change,
    },
    facts: { term: 6, parentTerm: 5, last: null },
    promoting: jest.fn(),
    abandon: jest.fn(),
    stop: () => undefined,
  };
  facts.hold = hold as never;
  const armed = { index: 1, term: 6, validUntil: millisToNanosText(now + 59_000) };
  facts.runner = { known: true, seenAt: now, value: runnerReport({ armed }) };
  let isInRecovery = true;
  w.postgres.reply = (sql) => {
    if (sql.includes('pg_promote')) {
      isInRecovery = false;
      return [{ asked: true }];
    }
    return [{ recovering: isInRecovery }];
  };
  const promote = () => postgresEffects(w.parts).promote({ type: 'promote', term: 6 });
  return { w, hold, promote, asked: () => w.postgres.asked.filter((sql) => sql.includes('pg_promote')).length };
}

describe('to promote', () => {
  it('writes the term to disk, asks PostgreSQL, waits until recovery has ended, and looks at it', async () => {
    const { w, hold, promote, asked } = ready();
    let ledWhenAsked: number | null = null;
    const { reply } = w.postgres;
    w.postgres.reply = (sql) => {
      if (sql.includes('pg_promote')) ledWhenAsked = w.diskAgain().record.ledTerm;
      return reply(sql);
    };
    await promote();
    expect(ledWhenAsked).toBe(6);
    expect(asked()).toBe(1);
    expect(hold.promoting).toHaveBeenCalled();
    expect(w.postgres.readings).toBe(1);
    expect(w.diskAgain().record).toMatchObject({ ledTerm: 6, dataTerm: 6 });
  });

  it('remembers the newest timeline that its data had been on: those above are its own', async () => {
    const { w, promote } = ready();
    const { facts } = w.parts;
    if (facts.runner.known) {
      const { data } = facts.runner.value;
      const timelines = { left: [{ timeline: 1, at: '0/100' }], newest: 2 };
      facts.runner = { ...facts.runner, value: { ...facts.runner.value, data: { ...data, timelines } } };
    }
    await promote();
    expect(w.diskAgain().record.led).toEqual([{ term: 6, parentTerm: 5, timeline: 2 }]);
  });

  it('ends the transactions of readers that hold up replay, and nobody where none does', async () => {
    const { w, promote } = ready();
    let isHeldUp = true;
    w.postgres.reply = (sql) => {
      if (sql.includes('pg_terminate_backend')) {
        isHeldUp = false;
        return [{ pg_terminate_backend: true }];
      }
      return [sql.includes('pg_promote') ? { asked: true } : { recovering: isHeldUp }];
    };
    await promote();
    expect(w.postgres.asked.filter((sql) => sql.includes('pg_terminate_backend'))).toHaveLength(1);

    const quick = ready();
    await quick.promote();
    expect(quick.w.postgres.asked.filter((sql) => sql.includes('pg_terminate_backend'))).toEqual([]);
  });

  it('is not done where the hold was ended while the settings were put in place: the lock may be free', async () => {
    const { w, hold, promote, asked } = ready();
    const rule = { version: 1, term: 6, mode: 'quorum', k: 1, names: ['c'], previous: null };
    const entry = { key: w.parts.keys.sync, value: JSON.stringify(rule), modifyIndex: 5, createIndex: 5, flags: 0 };
    w.parts.consul.sawSync(
      { ...entry, lockIndex: 0, session: null },
      { sentAt: monotonicNow(), receivedAt: monotonicNow() },
    );
    w.postgres.reply = () => {
      w.parts.facts.ending = true;
      return [{ names: 'ANY 1 ("c")', admits: 'everyone' }];
    };
    await expect(promote()).rejects.toThrow('the hold is being ended');
    expect(asked()).toBe(0);
    expect(hold.promoting).not.toHaveBeenCalled();
    expect(w.diskAgain().record.ledTerm).not.toBe(6);
  });

  it('takes it for done when PostgreSQL is out of recovery already', async () => {
    const { w, promote } = ready();
    w.postgres.reply = (sql) => {
      if (sql.includes('pg_promote')) throw new ServerFailure('other', 'not in recovery', { sqlState: '55000' });
      return [{ recovering: false }];
    };
    await promote();
    expect(w.postgres.readings).toBe(1);
  });

  it('fails when PostgreSQL refuses for another reason', async () => {
    const { w, promote } = ready();
    w.postgres.reply = () => Promise.reject(new ServerFailure('lost', 'connection lost'));
    await expect(promote()).rejects.toThrow('connection lost');
  });

  it('waits no longer than the hold lasts: the next one must be able to promote', async () => {
    const { w, promote, asked } = ready();
    w.postgres.reply = (sql) => (sql.includes('pg_promote') ? [{ asked: true }] : [{ recovering: true }]);
    const done = promote();
    await until('it is asked for', () => asked() === 1);
    w.parts.facts.hold = null;
    await done;
  });

  it.each<[string, (w: World, view: { -readonly [K in keyof Hold]: Hold[K] }) => void, RegExp, boolean]>([
    ['the lock', (w) => (w.parts.facts.hold = null), /lock is not held/, false],
    ['the lock of this term', (_, view) => (view.term = 5), /lock is not held/, false],
    ['a lock that Consul has not denied', (_, view) => (view.lost = true), /lock is not held/, false],
    ['a lease with time left', (_, view) => (view.endsAt = monotonicNow() + 600), /about to end/, false],
    ['having waited out its predecessor', (_, view) => (view.waitUntil = monotonicNow() + 9000), /predecessor/, true],
    ['keeping its promise', (w) => w.parts.disk.promise(monotonicNow() + 9000), /promise/, true],
    ['a runner that has reported', (w) => (w.parts.facts.runner = { known: false, why: '' }), /armed/, true],
    [
      'a runner that is armed for this term',
      (w) => (w.parts.facts.runner = { known: true, seenAt: 0, value: runnerReport() }),
      /armed/,
      true,
    ],
  ])('is never done without %s', async (_, take, why, isOurs) => {
    const { w, hold, promote, asked } = ready();
    take(w, hold.view as never);
    const failure = await promote().then(
      () => null,
      (error: unknown) => error,
    );
    expect(codeOf(failure)).toBe('HAPG_PROMOTE_WITHOUT_RIGHT');
    expect(String(failure)).toMatch(why);
    expect(asked()).toBe(0);
    expect(w.diskAgain().record.ledTerm).toBeNull();
    // What only time can have brought about is no defect of this program.
    expect(w.failures).toEqual(isOurs ? [failure] : []);
  });

  it.each<[string, (w: World, view: { lost: boolean }) => void]>([
    ['the lock is not held', (_, view) => (view.lost = true)],
    ['the runner is not armed', (w) => (w.parts.facts.runner = { known: true, seenAt: 0, value: runnerReport() })],
  ])('is judged again after whatever came between: %s', async (why, happens) => {
    const { w, hold, promote, asked } = ready({}, '--failpoints');
    w.parts.disk.update({ dataTerm: 5, ledTerm: 3 });
    const file = join(w.directory, 'failpoint-before-promote');
    writeFileSync(file, 'wait');
    const done = promote();
    await until('it waits', () => w.log.of('failpoint').length === 1);
    happens(w, hold.view);
    rmSync(file);
    await expect(done).rejects.toThrow(why);
    expect(asked()).toBe(0);
    // Nothing was promoted: the node is no former Master of this term, and it is the world's doing, not ours.
    expect(w.diskAgain().record).toMatchObject({ dataTerm: 5, ledTerm: 3 });
    expect(w.failures).toEqual([]);
  });
});

/** A process that works in the data directory and does not end by itself. */
async function processIn(w: World): Promise<ChildProcess> {
  const { dataDir } = w.parts.config;
  if (!existsSync(dataDir)) mkdirSync(dataDir);
  const child = spawn(process.execPath, ['-e', 'console.log(1); setInterval(() => {}, 1000)'], { cwd: dataDir });
  children.push(child);
  await once(child.stdout, 'data');
  return child;
}

describe('the second fence', () => {
  const kill = (w: World) => postgresEffects(w.parts).killPostgres({ type: 'killPostgres' });

  it('kills every process that works in the data directory, and then says so', async () => {
    const { w } = ready();
    const pair = [await processIn(w), await processIn(w)];
    const ends = pair.map((child) => once(child, 'exit'));
    const before = monotonicNow();
    await kill(w);
    for (const end of ends) expect(await end).toEqual([null, 'SIGKILL']);
    expect(w.parts.facts.ownKillAt).toBeGreaterThanOrEqual(before);
  });

  it('says so where there is nothing left, if it would have seen it', async () => {
    const { w, hold } = ready();
    w.parts.facts.seesPostgres = true;
    await kill(w);
    expect(w.parts.facts.ownKillAt).not.toBeNull();
    expect(hold.abandon).not.toHaveBeenCalled();
  });

  it('never says so where it sees no processes at all: it lets the lease run out, and cries', async () => {
    const { w, hold } = ready();
    await kill(w);
    expect(w.parts.facts.ownKillAt).toBeNull();
    expect(hold.abandon).toHaveBeenCalled();
    expect(w.log.of('fence.blind')[0]).toMatchObject({ level: 'error' });
  });

  it('never says so of processes that hang in the kernel: they outlive SIGKILL, and the lease runs out', async () => {
    const { w, hold } = ready();
    let now = monotonicNow();
    const clock = { ...w.parts.clock, now: () => now, pause: (ms: number) => Promise.resolve(void (now += ms)) };
    const processes = { kill: () => [7], list: () => [7] };
    await postgresEffects({ ...w.parts, clock, processes }).killPostgres({ type: 'killPostgres' });
    expect(w.parts.facts.ownKillAt).toBeNull();
    expect(hold.abandon).toHaveBeenCalled();
    expect(w.log.of('fence.stuck')[0]).toMatchObject({ level: 'error', left: [7] });
  });
});
