import { beforeEach, describe, expect, it } from '@jest/globals';
import type { ConsulApi, KvEntry, TxnResult } from '../src/index';
import {
  acquire,
  beat,
  opCas,
  opCheckIndex,
  opCheckNotExists,
  opCheckSession,
  opDeleteCas,
  opGet,
  opLock,
  opSet,
  opUnlock,
  reasonOf,
  release,
} from '../src/index';

export interface ContractWorld {
  readonly client: () => ConsulApi;
  /** Lets time pass where it passes only when told to. */
  readonly run: <T>(work: Promise<T>) => Promise<T>;
}

let keys = 0;

/** What the election relies on in Consul. The in-memory Consul and the real one must both pass. */
export function consulContract(name: string, world: ContractWorld): void {
  describe(`${name}, as the election relies on it`, () => {
    let client: ConsulApi;
    let key: string;
    const txn = (...operations: Parameters<ConsulApi['transaction']>[0]): Promise<TxnResult> =>
      world.run(client.transaction(operations));
    const look = async (of = key): Promise<KvEntry | null> =>
      (await world.run(client.kvGet(of, { consistency: 'consistent' }))).entry;
    const session = (): Promise<string> =>
      world.run(client.sessionCreate({ name: 'contract', ttlMs: 10_000, lockDelayMs: 0, behavior: 'release' }));
    const held = async (): Promise<{ id: string; modifyIndex: number }> => {
      const id = await session();
      const result = await world.run(
        acquire(client, { key, session: id, value: 'first', decidedOn: null, unchanged: [], takeOver: false }),
      );
      if (!result.done) throw new Error(JSON.stringify(result));
      return { id, modifyIndex: result.modifyIndex };
    };
    const reasons = (result: TxnResult): readonly string[] =>
      result.committed ? [] : result.errors.map((error) => `${error.opIndex} ${reasonOf(error)}`);

    beforeEach(() => {
      client = world.client();
      keys += 1;
      key = `contract/${name}/${keys}`;
    });

    it('says that a key does not exist, with an index to wait on', async () => {
      const read = await world.run(client.kvGet(key));
      expect(read.entry).toBeNull();
      expect(read.index).toBeGreaterThan(0);
      expect(read.receivedAt).toBeGreaterThanOrEqual(read.sentAt);
    });

    it('lists the keys under a prefix with who holds them, and nothing else', async () => {
      const { id } = await held();
      await txn(opSet(`${key}/below`, 'b'), opSet(`${key}/above`, 'a'));
      const { entries } = await world.run(client.kvList(`${key}/`));
      expect(entries.map(({ key: name, value }) => [name, value])).toEqual([
        [`${key}/above`, 'a'],
        [`${key}/below`, 'b'],
      ]);
      const all = await world.run(client.kvList(key));
      expect(all.entries.find(({ key: name }) => name === key)?.session).toBe(id);
      expect((await world.run(client.kvList(`${key}/none/`))).entries).toEqual([]);
    });

    it('gives the key to one session, from LockIndex 1, with the ModifyIndex in the answer', async () => {
      const { id, modifyIndex } = await held();
      expect(await look()).toMatchObject({ value: 'first', session: id, lockIndex: 1, modifyIndex });
      expect(reasons(await txn(opLock(key, 'second', await session())))).toEqual(['0 held-by-other']);
    });

    it('refuses a lock by a session that does not exist', async () => {
      expect(reasons(await txn(opLock(key, 'x', '00000000-5ef8-8d1c-3be9-1c9adbcd6437')))).toEqual([
        '0 invalid-session',
      ]);
    });

    it('moves the ModifyIndex with each beat of a new value and keeps the LockIndex', async () => {
      const { id, modifyIndex } = await held();
      const result = await world.run(beat(client, { key, session: id, value: 'beat 1' }));
      expect(result).toMatchObject({ done: true, lockIndex: 1 });
      expect(result.done && result.modifyIndex).toBeGreaterThan(modifyIndex);
      expect(await look()).toMatchObject({ value: 'beat 1', modifyIndex: result.done ? result.modifyIndex : 0 });
    });

    it('accepts a beat that changes nothing without moving the ModifyIndex, so it counts as none', async () => {
      const { id, modifyIndex } = await held();
      expect(await world.run(beat(client, { key, session: id, value: 'first' }))).toMatchObject({
        done: false,
        why: 'unchanged',
      });
      expect((await look())?.modifyIndex).toBe(modifyIndex);
    });

    it('says not-held of a beat on a key that is gone, free, or another’s', async () => {
      const id = await session();
      expect(await world.run(beat(client, { key, session: id, value: 'x' }))).toMatchObject({ why: 'not-held' });
      await txn(opSet(key, 'free'));
      expect(await world.run(beat(client, { key, session: id, value: 'x' }))).toMatchObject({ why: 'not-held' });
      await txn(opLock(key, 'other', await session()));
      expect(await world.run(beat(client, { key, session: id, value: 'x' }))).toMatchObject({ why: 'not-held' });
      expect((await look())?.value).toBe('other');
    });

    it('writes other keys with a beat or nothing at all, and does not take a stale one for a loss', async () => {
      const { id } = await held();
      const also = `${key}-members`;
      const first = await world.run(
        beat(client, { key, session: id, value: 'b1', alsoWrite: [{ key: also, value: 'm1', modifyIndex: null }] }),
      );
      expect(first.done && first.entries.map((entry) => entry.key)).toEqual([key, also]);
      const again = await world.run(
        beat(client, { key, session: id, value: 'b2', alsoWrite: [{ key: also, value: 'm2', modifyIndex: null }] }),
      );
      expect(again).toMatchObject({ done: false, why: 'changed' });
      expect((await look())?.value).toBe('b1');
      expect((await look(also))?.value).toBe('m1');
    });

    it('frees the key with the last value, only at the index named', async () => {
      const { id, modifyIndex } = await held();
      const late = { key, session: id, value: 'last', ownLastIndex: modifyIndex };
      const moved = await world.run(beat(client, { key, session: id, value: 'beat 1' }));
      expect(await world.run(release(client, late))).toMatchObject({ done: false, why: 'changed' });
      const now = { ...late, ownLastIndex: moved.done ? moved.modifyIndex : 0 };
      expect(await world.run(release(client, now))).toMatchObject({ done: true });
      expect(await look()).toMatchObject({ value: 'last', session: null });
      expect(await world.run(release(client, now))).toMatchObject({ done: false, why: 'not-held' });
    });

    it('lets an acquire through only on the very entry it was decided on', async () => {
      const { id } = await held();
      const decidedOn = await look();
      await txn(opUnlock(key, 'freed', id));
      const other = await session();
      const request = { key, session: other, value: 'x', unchanged: [], takeOver: false };
      expect(await world.run(acquire(client, { ...request, decidedOn: null }))).toMatchObject({ why: 'changed' });
      expect(await world.run(acquire(client, { ...request, decidedOn }))).toMatchObject({ why: 'changed' });
      expect(await world.run(acquire(client, { ...request, decidedOn: await look() }))).toMatchObject({
        done: true,
        lockIndex: 2,
      });
    });

    it('lets an acquire through only while the other keys it names are as they were', async () => {
      const other = `${key}-members`;
      await txn(opSet(other, 'm1'));
      const request = { key, session: await session(), value: 'x', decidedOn: null, takeOver: false };
      const index = (await look(other))?.modifyIndex ?? 0;
      await txn(opSet(other, 'm2'));
      expect(
        await world.run(acquire(client, { ...request, unchanged: [{ key: other, modifyIndex: index }] })),
      ).toMatchObject({ why: 'changed' });
      expect(await look()).toBeNull();
      const unchanged = [
        { key: other, modifyIndex: (await look(other))?.modifyIndex ?? 0 },
        { key: `${key}-absent`, modifyIndex: null },
      ];
      expect(await world.run(acquire(client, { ...request, unchanged }))).toMatchObject({ done: true, lockIndex: 1 });
    });

    it('takes a held key over in one transaction, from LockIndex 1 again, but not once it moved', async () => {
      const { id } = await held();
      const decidedOn = await look();
      const late = await session();
      await world.run(beat(client, { key, session: id, value: 'alive' }));
      const request = { key, session: late, value: 'taken', unchanged: [], takeOver: true };
      expect(await world.run(acquire(client, { ...request, decidedOn }))).toMatchObject({
        done: false,
        why: 'changed',
      });
      expect(await world.run(acquire(client, { ...request, decidedOn: await look() }))).toMatchObject({
        done: true,
        lockIndex: 1,
      });
      expect(await look()).toMatchObject({ value: 'taken', session: late });
      expect(await world.run(beat(client, { key, session: id, value: 'still here?' }))).toMatchObject({
        why: 'not-held',
      });
    });

    it('frees the keys of a session that ends at once, without lock-delay, and moves their index', async () => {
      const { id, modifyIndex } = await held();
      await world.run(client.sessionDestroy(id));
      const freed = await look();
      expect(freed).toMatchObject({ value: 'first', session: null });
      expect(freed?.modifyIndex).toBeGreaterThan(modifyIndex);
      expect(await txn(opLock(key, 'next', await session()))).toMatchObject({ committed: true });
      expect(await world.run(client.sessionRenew(id))).toBe('gone');
      expect(await world.run(client.sessionInfo(id))).toBeNull();
    });

    it('keeps a session without any check, and renews it', async () => {
      const id = await session();
      expect(await world.run(client.sessionRenew(id))).toBe('renewed');
      expect(await world.run(client.sessionInfo(id))).toMatchObject({
        id,
        name: 'contract',
        ttlMs: 10_000,
        nodeChecks: [],
      });
      await world.run(client.sessionDestroy(id));
      await world.run(client.sessionDestroy(id));
    });

    it('wakes a blocking query on a change, and ends it unchanged when its wait is over', async () => {
      const { id, modifyIndex } = await held();
      const quiet = await world.run(client.kvGet(key, { index: modifyIndex, waitMs: 20 }));
      expect(quiet.entry?.modifyIndex).toBe(modifyIndex);
      const waiting = client.kvGet(key, { index: modifyIndex, waitMs: 30_000 });
      await world.run(beat(client, { key, session: id, value: 'moved' }));
      expect((await world.run(waiting)).entry?.value).toBe('moved');
    });

    it('names every operation that failed, and writes none of the others', async () => {
      await txn(opSet(key, 'there'));
      const result = await txn(
        opCheckNotExists(key),
        opCheckIndex(key, 1),
        opCheckIndex(`${key}-absent`, 1),
        opCas(key, 'x', 1),
        opDeleteCas(key, 1),
        opCheckSession(key, '00000000-5ef8-8d1c-3be9-1c9adbcd6437'),
        opCheckSession(`${key}-absent`, '00000000-5ef8-8d1c-3be9-1c9adbcd6437'),
        opGet(`${key}-absent`),
        opSet(`${key}-other`, 'never'),
      );
      expect(reasons(result)).toEqual([
        '0 changed',
        '1 changed',
        '2 changed',
        '3 changed',
        '4 changed',
        '5 not-held',
        '6 not-held',
        '7 changed',
      ]);
      expect(await look(`${key}-other`)).toBeNull();
    });

    it('says that deleting a key that is gone succeeds, which is why a takeover checks the index first', async () => {
      expect(await txn(opDeleteCas(key, 7))).toMatchObject({ committed: true });
      const gone = { key, value: '', modifyIndex: 7, createIndex: 7, lockIndex: 1, session: 's', flags: 0 };
      const request = { key, session: await session(), value: 'x', decidedOn: gone, unchanged: [], takeOver: true };
      expect(await world.run(acquire(client, request))).toMatchObject({ done: false, why: 'changed' });
      expect(await look()).toBeNull();
    });
  });
}
