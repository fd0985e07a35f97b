import type { Queryable } from './connection-target';
import { walReceiverStopped } from './wal-receiver-stopped';

const seeing = (...counts: number[]): { connection: Queryable; looks: () => number } => {
  let looks = 0;
  const query = (): Promise<unknown[]> => {
    const receivers = counts[Math.min(looks, counts.length - 1)];
    looks += 1;
    return Promise.resolve([{ receivers, may_read_all_stats: true, user_name: 'controller' }]);
  };
  return { connection: { query } as Queryable, looks: () => looks };
};

describe('walReceiverStopped', () => {
  it('needs two looks in a row without a receiver', async () => {
    const { connection, looks } = seeing(1, 0, 1, 0, 0);
    await expect(walReceiverStopped(connection, { limitMs: 5000 })).resolves.toBe(true);
    expect(looks()).toBe(5);
  });

  it('gives up at its limit while a receiver lives', async () => {
    const { connection } = seeing(1);
    await expect(walReceiverStopped(connection, { limitMs: 60 })).resolves.toBe(false);
  });

  it('gives up at its limit while the server does not answer', async () => {
    const connection: Queryable = { query: () => new Promise(() => undefined) };
    await expect(walReceiverStopped(connection, { limitMs: 60 })).resolves.toBe(false);
  });

  it('ends with the reason of an abort', async () => {
    const { connection } = seeing(1);
    const abort = new AbortController();
    const stopped = walReceiverStopped(connection, { limitMs: 60_000, signal: abort.signal });
    abort.abort(new Error('the vote is over'));
    await expect(stopped).rejects.toThrow('the vote is over');
  });

  it('does not take a hidden receiver for none', async () => {
    const row = { receivers: 0, may_read_all_stats: false, user_name: 'plain' };
    const connection = { query: () => Promise.resolve([row]) } as unknown as Queryable;
    await expect(walReceiverStopped(connection, { limitMs: 5000 })).rejects.toThrow(/user plain .*pg_monitor/);
  });

  it('passes a failed query on', async () => {
    const connection: Queryable = { query: () => Promise.reject(new Error('gone')) };
    await expect(walReceiverStopped(connection, { limitMs: 5000 })).rejects.toThrow('gone');
  });
});
