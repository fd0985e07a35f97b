import type { SyncValue } from '@ha-postgres/cluster-state';
import { address, masterValue, standby } from '../../test/fixture/values';
import { endWorlds, world, type World } from '../../test/fixture/world';
import { lockEffects } from './lock-effects';
import { syncEffects } from './sync-effects';

afterEach(endWorlds);

/** Node `b` holds the lock in term 6. */
async function holder(): Promise<World> {
  const w = world('--replication=quorum');
  const { parts, consul } = w;
  w.set(parts.keys.master, masterValue({ phase: 'draining', released: true }));
  w.set(parts.keys.members, { members: [address('a'), address('b')] });
  parts.disk.update({ dataTerm: 5 });
  await w.look();
  const decidedOn = consul.store.get(parts.keys.master)?.modifyIndex ?? 0;
  await lockEffects(parts).acquire({ type: 'acquire', term: 6, decidedOn, takeOver: false });
  w.postgres.sight = standby({ inRecovery: false });
  return w;
}

const value = (change: Partial<SyncValue> = {}): SyncValue => ({
  ...{ version: 1, term: 6, mode: 'quorum', k: 1, names: ['a'], previous: null },
  ...change,
});
const write = (w: World, what: SyncValue) => syncEffects(w.parts).writeSync({ type: 'writeSync', value: what });
const stored = (w: World) => JSON.parse(w.consul.store.get(w.parts.keys.sync)?.value ?? 'null') as SyncValue | null;
const seen = ({ parts }: World) => (parts.consul.sync.known ? parts.consul.sync.value.value : undefined);

describe('the rule of synchronous replication', () => {
  it('is written with a beat, known here at once, and its version is on disk', async () => {
    const w = await holder();
    const before = w.consul.store.get(w.parts.keys.master)?.modifyIndex ?? 0;
    await write(w, value());
    expect(stored(w)).toEqual(value());
    expect(seen(w)).toEqual(value());
    expect(w.diskAgain().record.highestSyncVersion).toBe(1);
    expect(w.consul.store.get(w.parts.keys.master)?.modifyIndex).toBeGreaterThan(before);
  });

  it('is written over nothing that was not seen: what stands is read instead', async () => {
    const w = await holder();
    w.set(w.parts.keys.sync, value({ version: 7, names: ['z'] }));
    await write(w, value());
    expect(stored(w)?.version).toBe(7);
    expect(seen(w)?.version).toBe(7);
    await write(w, value({ version: 8 }));
    expect(stored(w)?.version).toBe(8);
  });

  it('is not written for another hold', async () => {
    const w = await holder();
    await write(w, value({ term: 5 }));
    expect(stored(w)).toBeNull();
  });

  it('is as old as the question that it was read with', async () => {
    const w = await holder();
    w.set(w.parts.keys.sync, value());
    w.set(w.parts.keys.override, { id: '1', node: 'b', afterTerm: 5, by: 'me', why: 'x' });
    const before = w.parts.clock.now();
    await syncEffects(w.parts).readSync({ type: 'readSync' });
    expect(seen(w)).toEqual(value());
    expect(w.parts.consul.sync).toMatchObject({ known: true });
    expect(w.parts.consul.sync.known && w.parts.consul.sync.seenAt).toBeGreaterThanOrEqual(before);
    expect(w.parts.consul.override).toMatchObject({ node: 'b' });
  });

  it('that cannot be read is no rule, and not none', async () => {
    const w = await holder();
    w.set(w.parts.keys.sync, 'rubbish');
    await syncEffects(w.parts).readSync({ type: 'readSync' });
    expect(w.parts.consul.sync).toMatchObject({ known: true, value: { value: null, isReadable: false } });
  });

  it('that an earlier question tells does not hide a newer one', async () => {
    const w = await holder();
    await write(w, value());
    const { consul, clock } = w.parts;
    const askedAt = clock.now() - 60_000;
    consul.sawSync(null, { sentAt: askedAt, receivedAt: askedAt });
    expect(seen(w)).toEqual(value());
  });
});

describe('what else synchronous replication asks for', () => {
  it('ends the senders that were named', async () => {
    const w = await holder();
    await syncEffects(w.parts).endSenders({ type: 'endSenders', pids: [11, 12] });
    expect(w.postgres.asked.at(-1)).toContain('pg_terminate_backend');
  });

  it('counts no checkpoint that did not come to its end', async () => {
    const w = await holder();
    await syncEffects(w.parts).checkpoint({ type: 'checkpoint' });
    expect(w.parts.facts.checkpointAt).toBeNull();
  });

  it('has it on disk that clients are let in', async () => {
    const w = await holder();
    await syncEffects(w.parts).admitClients({ type: 'admitClients', term: 6 });
    expect(w.diskAgain().record.admittedTerm).toBe(6);
  });
});
