import type { MasterValue } from '@ha-postgres/cluster-state';
import { syncProblem, type Action } from '@ha-postgres/failover';
import { parseLsn } from '@ha-postgres/lsn';
import { until } from '../../test/fixture/clock';
import { LSN, address, masterValue, standby } from '../../test/fixture/values';
import { endWorlds, world, type World } from '../../test/fixture/world';
import { lockEffects, resumeHold } from './lock-effects';

afterEach(endWorlds);

type Acquire = Extract<Action, { type: 'acquire' }>;

/** Node `b` looks at the lock that `a` held in term 5. */
async function beside(
  change: Partial<MasterValue>,
  session: string | null,
): Promise<{ w: World; acquire: (change?: Partial<Acquire>) => Promise<void>; key: string }> {
  const w = world('--heartbeat-interval=50ms');
  const { parts, consul } = w;
  const key = parts.keys.master;
  const value = JSON.stringify(masterValue(change));
  w.set(parts.keys.members, { members: [address('a'), address('b')] });
  if (session === null) w.set(key, value);
  else w.write({ verb: 'lock', key, value, session: w.otherSession(session) });
  parts.disk.update({ dataTerm: 5 });
  await w.look();
  const decidedOn = consul.store.get(key)?.modifyIndex ?? 0;
  const acquire = (more: Partial<Acquire> = {}) =>
    lockEffects(parts).acquire({ type: 'acquire', term: 6, decidedOn, takeOver: false, ...more });
  return { w, acquire, key };
}

const released = { phase: 'draining', released: true } as const;

describe('to acquire', () => {
  it('takes a free lock: a hold that beats, on disk with its session', async () => {
    const { w, acquire, key } = await beside(released, null);
    await acquire();
    const { hold } = w.parts.facts;
    expect(hold?.view).toMatchObject({ term: 6, phase: 'waiting', lost: false });
    expect(w.consul.store.get(key)?.session).toBe(hold?.session.id);
    // Where it stands in Consul's order is on disk with the next word, for it is not worth a second write now.
    expect(w.diskAgain().hold).toEqual({ ...hold?.stored, acquiredIndex: 0 });
    expect(hold?.view.acquiredIndex).toBe(w.consul.store.get(key)?.modifyIndex);
    expect(w.diskAgain().record.highestTerm).toBe(6);
    expect(w.parts.facts.acquiring).toBe(false);
  });

  it('writes a first value that keeps the last Master that ran', async () => {
    const { w, acquire, key } = await beside(released, null);
    await acquire();
    expect(JSON.parse(w.consul.store.get(key)?.value ?? '')).toMatchObject({
      node: 'b',
      term: 6,
      beat: expect.any(Number) as number,
      phase: 'waiting',
      released: false,
      last: { node: 'a', term: 5, lsn: LSN },
    });
  });

  it.each([
    ['need not wait for one that released it', released, null, Number.NEGATIVE_INFINITY],
    ['waits out one whose session just went', {}, null, 3300],
    ['waits out one that gave up without having waited itself', { phase: 'waiting', released: false }, null, 3300],
  ] as const)('%s', async (_, change, session, wait) => {
    const { w, acquire } = await beside(change, session);
    const { master } = w.parts.consul;
    const firstSeenAt = (master.known ? master.value.entry?.firstSeenAt : undefined) ?? NaN;
    await acquire();
    expect(w.parts.facts.hold?.view.waitUntil).toBe(wait < 0 ? wait : firstSeenAt + wait);
  });

  it('takes over a lock that is held still when told to', async () => {
    const { w, acquire, key } = await beside({}, 'dead');
    await acquire({ takeOver: true });
    expect(w.consul.store.get(key)?.session).toBe(w.parts.facts.hold?.session.id);
    expect(w.parts.facts.hold?.view).toMatchObject({ term: 6, predecessor: { node: 'a', term: 5 } });
  });

  it('remembers which synchronous rule the last Master knew: whoever removed the key since is found out', async () => {
    const { w, acquire, key } = await beside({ ...released, syncVersion: 4 }, null);
    await acquire();
    expect(w.diskAgain().record.highestSyncVersion).toBe(4);
    expect(JSON.parse(w.consul.store.get(key)?.value ?? '')).toMatchObject({ syncVersion: 4 });
    await w.parts.consul.readSync(1000);
    expect(syncProblem(w.observation())).toContain('version 4');
  });

  it('says nothing of a rule where there never was one', async () => {
    const { acquire, w, key } = await beside(released, null);
    await acquire();
    expect(JSON.parse(w.consul.store.get(key)?.value ?? '')).not.toHaveProperty('syncVersion');
  });

  it('has the hold on disk before Consul can know of it', async () => {
    const { w, acquire } = await beside(released, null);
    let storedWhenSent: unknown = null;
    w.fate = ({ kind, operations }) => {
      if (kind === 'transaction' && operations.some(({ verb }) => verb === 'check-index'))
        storedWhenSent = w.diskAgain().hold?.term;
      return { toServerMs: 0, toClientMs: 0 };
    };
    await acquire();
    expect(storedWhenSent).toBe(6);
  });

  it('is refused when the value is not what was decided on, and leaves neither session nor hold behind', async () => {
    const { w, acquire, key } = await beside(released, null);
    w.set(key, masterValue({ term: 7 }));
    await acquire();
    expect(w.parts.facts).toMatchObject({ hold: null, acquiring: false });
    expect(w.consul.sessionIds()).toEqual([]);
    expect(w.diskAgain().hold).toBeNull();
    expect(w.log.of('lease.not-acquired')[0]).toMatchObject({ why: 'changed', term: 6 });
    const { master } = w.parts.consul;
    expect(master.known && master.value.entry?.value?.term).toBe(7);
  });

  it('is refused when the list of members changed meanwhile', async () => {
    const { w, acquire } = await beside(released, null);
    w.set(w.parts.keys.members, { members: [address('a')] });
    await acquire();
    expect(w.parts.facts.hold).toBeNull();
    expect(w.parts.consul.members).toMatchObject({ value: { members: [{ node: 'a' }] } });
  });

  it('does nothing on a decision about another value than the one in view', async () => {
    const { w, acquire } = await beside(released, null);
    await acquire({ decidedOn: 1 });
    expect(w.consul.sessionIds()).toEqual([]);
    expect(w.parts.facts.hold).toBeNull();
  });

  it('without an answer destroys the session, so that what may have been committed is held by nobody', async () => {
    const { w, acquire, key } = await beside(released, null);
    w.fate = ({ kind, operations }) => {
      const isAcquire = kind === 'transaction' && operations.some(({ verb }) => verb === 'lock');
      return { toServerMs: 0, toClientMs: isAcquire ? null : 0 };
    };
    const done = acquire();
    await until('it was committed', () => w.consul.store.get(key)?.session !== null);
    expect(w.parts.facts.acquiring).toBe(true);
    expect(w.parts.facts.hold).toBeNull();
    await done;
    expect(w.consul.store.get(key)?.session).toBeNull();
    expect(w.diskAgain().hold).toBeNull();
    expect(w.parts.facts).toMatchObject({ hold: null, acquiring: false });
  });

  it('goes on destroying until Consul has done so, and counts as acquiring so long', async () => {
    const { w, acquire } = await beside(released, null);
    let isCut = false;
    w.fate = ({ kind }) => {
      isCut ||= kind === 'transaction';
      return { toServerMs: isCut ? null : 0, toClientMs: 0 };
    };
    const done = acquire();
    await until('the destroying was tried in vain', () => w.log.of('session.destroy-unanswered').length > 0);
    expect(w.parts.facts.acquiring).toBe(true);
    w.fate = () => ({ toServerMs: 0, toClientMs: 0 });
    await done;
    expect(w.consul.sessionIds()).toEqual([]);
    expect(w.parts.facts.acquiring).toBe(false);
  }, 20_000);

  it('that fails in any other way leaves no session behind either', async () => {
    const { w, acquire } = await beside(released, null);
    jest.spyOn(w.parts.client, 'transaction').mockRejectedValue(new Error('403: Permission denied'));
    await acquire();
    expect(w.consul.sessionIds()).toEqual([]);
    expect(w.diskAgain().hold).toBeNull();
    expect(w.log.of('lease.not-acquired')[0]).toMatchObject({ why: '403: Permission denied' });
  });
});

const END = { type: 'release', released: true, successor: null, lsn: null, lsnExact: false } as const;

describe('to release', () => {
  it('frees the key, and forgets the hold in memory and on disk', async () => {
    const { w, acquire, key } = await beside(released, null);
    await acquire();
    const { hold } = w.parts.facts;
    w.parts.facts.pendingMembers = [address('c')];
    w.parts.facts.votes = { term: 6, startedAt: 0, complete: true, answers: [] };
    await lockEffects(w.parts).release(END);
    expect(w.consul.store.get(key)?.session).toBeNull();
    expect(w.parts.facts).toMatchObject({ hold: null, votes: null, pendingMembers: [] });
    expect(w.diskAgain().hold).toBeNull();
    await until('its session is gone', () => !w.consul.sessionIds().includes(hold?.session.id ?? ''));
  });

  it('keeps the hold, as lost, when Consul refuses: the stop comes before forgetting', async () => {
    const { w, acquire } = await beside(released, null);
    await acquire();
    w.consul.endSession(w.parts.facts.hold?.session.id ?? '');
    await lockEffects(w.parts).release(END);
    expect(w.parts.facts.hold?.view.lost).toBe(true);
    await lockEffects(w.parts).endHold({ type: 'endHold' });
    expect(w.parts.facts.hold).toBeNull();
    expect(w.diskAgain().hold).toBeNull();
  });

  it('keeps the hold when Consul does not answer, and may be tried again', async () => {
    const { w, acquire, key } = await beside(released, null);
    await acquire();
    w.fate = () => ({ toServerMs: null, toClientMs: 0 });
    await lockEffects(w.parts).release(END);
    expect(w.log.of('lease.released').at(-1)).toMatchObject({ outcome: 'unanswered' });
    expect(w.parts.facts.hold?.view.lost).toBe(false);
    w.fate = () => ({ toServerMs: 0, toClientMs: 0 });
    await lockEffects(w.parts).release(END);
    expect(w.parts.facts.hold).toBeNull();
    expect(w.consul.store.get(key)?.session).toBeNull();
  });
});

describe('a hold that was found on disk', () => {
  /** A controller that was killed while it held the lock: another world's disk and session, the same Consul. */
  async function restarted() {
    const { w, acquire, key } = await beside(released, null);
    await acquire();
    const { facts, disk } = w.parts;
    const before = facts.hold;
    before?.stop();
    facts.hold = null;
    expect(disk.hold?.session).toBe(before?.session.id);
    return { w, key, session: before?.session.id ?? '' };
  }

  /** The former process wrote that before it was killed; PostgreSQL is dead since. */
  async function restartedAfter(change: Partial<MasterValue>) {
    const { w, key, session } = await restarted();
    w.write({
      verb: 'lock',
      key,
      value: JSON.stringify(masterValue({ ...address('b'), term: 6, ...change })),
      session,
    });
    w.postgres.sight = standby({ lsn: null, timeline: null, alive: false });
    return { w, key, value: () => JSON.parse(w.consul.store.get(key)?.value ?? '') as MasterValue };
  }

  it('goes on when Consul says that it stands', async () => {
    const { w, session } = await restarted();
    await resumeHold(w.parts);
    expect(w.parts.facts.hold?.session.id).toBe(session);
    expect(w.parts.facts.hold?.view).toMatchObject({ term: 6, lost: false });
    expect(w.parts.facts.resuming).toBe(false);
    expect(w.pokes).toBeGreaterThan(0);
  });

  it('tells on what its former process had told: a PostgreSQL that is dead by now gives no position', async () => {
    const { w, key, value } = await restartedAfter({ lsn: '0/9000000', timeline: 3 });
    const { modifyIndex } = w.consul.store.get(key) ?? {};
    await resumeHold(w.parts);
    expect(w.consul.store.get(key)?.modifyIndex).toBeGreaterThan(modifyIndex ?? NaN);
    expect(value()).toMatchObject({ lsn: '0/9000000', timeline: 3 });
    await lockEffects(w.parts).release(END);
    expect(value()).toMatchObject({ released: true, lsn: '0/9000000' });
  });

  it('runs where the key says so, though its former process was not answered', async () => {
    const { w, value } = await restartedAfter({ phase: 'running' });
    expect(w.parts.disk.hold?.phase).toBe('waiting');
    await resumeHold(w.parts);
    expect(w.parts.facts.hold?.view.phase).toBe('running');
    expect(value().phase).toBe('running');
  });

  it('asks the servers what stands there where the agent is silent', async () => {
    const { w, value } = await restartedAfter({ lsn: '0/9000000' });
    jest.spyOn(w.parts.client, 'paths').mockReturnValue(['agent', 'http://consul-1:8500']);
    w.fate = ({ via }) => ({ toServerMs: via === 'agent' ? null : 0, toClientMs: 0 });
    await resumeHold(w.parts);
    expect(w.parts.facts.hold?.view.lost).toBe(false);
    expect(value()).toMatchObject({ lsn: '0/9000000' });
  });

  it('goes on with the members that the process before it may have written: its transaction names the same session', async () => {
    const { w } = await restarted();
    w.parts.disk.update({ pendingMembers: [address('d')] });
    await resumeHold(w.parts);
    expect(w.parts.facts.pendingMembers).toEqual([address('d')]);
  });

  it('is forgotten when Consul says that it does not, and its session with it', async () => {
    const { w, key } = await restarted();
    w.set(key, masterValue({ term: 7 }));
    w.consul.endSession(w.parts.disk.hold?.session ?? '');
    await resumeHold(w.parts);
    expect(w.parts.facts).toMatchObject({ hold: null, resuming: false });
    expect(w.diskAgain().hold).toBeNull();
  });

  it('is given up when Consul stays silent: nothing is acquired before its end is certain, but the node goes on without it', async () => {
    const { w, session } = await restarted();
    w.fate = () => ({ toServerMs: null, toClientMs: 0 });
    const done = resumeHold(w.parts);
    await until('it was given up', () => w.log.of('lease.resumed').length > 0);
    expect(w.log.of('lease.resumed')[0]).toMatchObject({ answer: 'unanswered' });
    expect(w.parts.facts).toMatchObject({ hold: null, resuming: false, acquiring: true });
    w.fate = () => ({ toServerMs: 0, toClientMs: 0 });
    await done;
    expect(w.consul.sessionIds()).not.toContain(session);
    expect(w.parts.facts).toMatchObject({ hold: null, resuming: false, acquiring: false });
  }, 20_000);

  it('of another boot is not gone on with: its times are of a clock that is gone', async () => {
    const { w, session, key } = await restarted();
    const stored = w.parts.disk.hold;
    if (stored === null) throw new Error('nothing stored');
    w.parts.disk.update({ hold: { ...stored, bootId: 'another boot', waitUntil: Number.MAX_SAFE_INTEGER } });
    await resumeHold(w.parts);
    expect(w.parts.facts).toMatchObject({ hold: null, resuming: false });
    expect(w.consul.sessionIds()).not.toContain(session);
    expect(w.consul.store.get(key)?.session).toBeNull();
    expect(w.diskAgain().hold).toBeNull();
  });

  it('is nothing to ask for where there was none', async () => {
    const w = world();
    await resumeHold(w.parts);
    expect(w.log.of('lease.resumed')).toEqual([]);
  });
});

describe('a state file that cannot be written', () => {
  const full = () => {
    throw new Error('ENOSPC: no space left on device');
  };

  it('leaves no session behind, however often an acquire is tried', async () => {
    const { w, acquire } = await beside(released, null);
    jest.spyOn(w.parts.disk, 'update').mockImplementation(full);
    for (let tries = 0; tries < 3; tries += 1) await expect(acquire()).rejects.toThrow('ENOSPC');
    expect(w.consul.sessionIds()).toEqual([]);
    expect(w.parts.facts).toMatchObject({ hold: null, acquiring: false });
  });

  it('does not keep a Master that has stopped from freeing the lock', async () => {
    const { w, acquire, key } = await beside(released, null);
    await acquire();
    jest.spyOn(w.parts.disk, 'update').mockImplementation(full);
    const stopped = { released: true, successor: null, lsn: parseLsn('0/8000000'), lsnExact: true };
    await expect(lockEffects(w.parts).release({ type: 'release', ...stopped })).rejects.toThrow('ENOSPC');
    expect(w.consul.store.get(key)?.session).toBeNull();
    expect(w.parts.facts.hold).toBeNull();
    expect(w.log.of('disk.unwritable')).toHaveLength(1);
  });

  it('ends a restarted controller before its first beat, so that no lease is kept alive that nobody is told of', async () => {
    const { w, acquire, key } = await beside(released, null);
    await acquire();
    w.parts.facts.hold?.stop();
    w.parts.facts.hold = null;
    const before = w.consul.store.get(key)?.modifyIndex;
    jest.spyOn(w.parts.disk, 'proveWritable').mockImplementation(full);
    await resumeHold(w.parts);
    expect(w.failures).toEqual([new Error('ENOSPC: no space left on device')]);
    expect(w.consul.store.get(key)?.modifyIndex).toBe(before);
  });
});
