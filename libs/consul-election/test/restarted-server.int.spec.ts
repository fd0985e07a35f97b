import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ConsulClient, silentLog } from '../src';
import { ConsulServer } from './consul-server';

const KEY = 'restarted/key';
const WRITES = 4000;
const AT_ONCE = 8;

let server: ConsulServer;
let client: ConsulClient;
beforeAll(async () => {
  server = await ConsulServer.start();
  client = new ConsulClient({ address: server.address, requestTimeoutMs: 5_000 }, { log: silentLog });
});
afterAll(() => server.end());

async function read(): Promise<number | null> {
  try {
    return (await client.kvGet(KEY, { consistency: 'consistent' })).entry?.modifyIndex ?? 0;
  } catch {
    return null;
  }
}

/** With `default` reads this fails: the log is gone through after the election, and they show how far (Consul 1.8.7). */
it('a server that was killed and started again shows a consistent read nothing older than what was written', async () => {
  for (let written = 0; written < WRITES; written += AT_ONCE) {
    const values = Array.from({ length: AT_ONCE }, (_, index) => String(written + index));
    await Promise.all(values.map((value) => client.transaction([{ verb: 'set', key: KEY, value }])));
  }
  const newest = await read();
  await server.kill();
  const started = { isUp: false };
  const up = server.run().finally(() => (started.isUp = true));
  const seen: (number | null)[] = [];
  while (!started.isUp) seen.push(...(await Promise.all(Array.from({ length: AT_ONCE }, read))));
  await up;
  seen.push(await read());
  expect(new Set(seen.filter((index) => index !== null))).toEqual(new Set([newest]));
});
