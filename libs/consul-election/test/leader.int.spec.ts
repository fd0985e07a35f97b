import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { ConsulClient, readLeaderValue, runWhileLeader, silentLog, type LeaseTimes } from '../src/index';
import { ConsulServer, eventually } from './consul-server';
import { SlowProxy } from './slow-proxy';

const times: LeaseTimes = { leaseDurationMs: 600, driftMarginMs: 60, fenceTimeMs: 140, heartbeatIntervalMs: 100 };
const key = 'service/leader-test/leader';
let consul: ConsulServer;

beforeAll(async () => {
  consul = await ConsulServer.start();
});
afterAll(() => consul.end());

it('two contenders never work at once, through cut connections, ended sessions and a restart of Consul', async () => {
  const proxies = await Promise.all([SlowProxy.start(consul.address), SlowProxy.start(consul.address)]);
  const stop = new AbortController();
  const working = new Set<string>();
  const terms: number[] = [];
  const overlaps: string[] = [];
  const leader = (): string | undefined => [...working][0];
  const clients = proxies.map(
    (proxy) => new ConsulClient({ address: proxy.address, requestTimeoutMs: 1000 }, { log: silentLog }),
  );
  const run = (name: string, client: ConsulClient): Promise<unknown> =>
    runWhileLeader({
      client,
      key,
      name,
      times,
      signal: stop.signal,
      work: async ({ rightEnds, term }) => {
        if (working.size > 0) overlaps.push(`${name} beside ${[...working].join()}`);
        working.add(name);
        terms.push(term);
        await new Promise((resolve) =>
          rightEnds.aborted ? resolve(null) : rightEnds.addEventListener('abort', resolve),
        );
        await sleep(times.fenceTimeMs / 2);
        working.delete(name);
      },
    });
  const runs = clients.map((client, at) => run(`contender-${at}`, client));
  const direct = new ConsulClient({ address: consul.address, requestTimeoutMs: 2000 }, { log: silentLog });
  try {
    await eventually('one works', () => working.size === 1);
    for (let round = 0; round < 3; round += 1) {
      const before = terms.length;
      const at = Number(leader()?.slice(-1));
      const proxy = proxies[at];
      if (proxy === undefined) throw new Error(`no leader in round ${round}`);
      proxy.treat = () => ({ after: 'lost' });
      await eventually(
        'another works',
        () => terms.length > before && working.size === 1 && leader() !== `contender-${at}`,
      );
      proxy.treat = () => ({});
    }
    const { entry } = await direct.kvGet(key, { consistency: 'consistent' });
    expect(readLeaderValue(entry?.value ?? '')?.name).toBe(leader());
    const before = terms.length;
    await direct.sessionDestroy(entry?.session ?? '');
    await eventually('somebody works after the loss', () => terms.length > before && working.size === 1);
    const beforeRestart = terms.length;
    await consul.kill();
    await eventually('the right ends without Consul', () => working.size === 0);
    await consul.run();
    await eventually('somebody works again', () => terms.length > beforeRestart && working.size === 1);
    stop.abort();
    await Promise.all(runs);
    expect(overlaps).toEqual([]);
    expect(terms).toEqual([...terms].sort((a, b) => a - b));
    expect(new Set(terms).size).toBe(terms.length);
    const last = readLeaderValue((await direct.kvGet(key)).entry?.value ?? '');
    expect(last?.released).toBe(true);
  } finally {
    stop.abort();
    await Promise.allSettled(runs);
    for (const client of [...clients, direct]) client.close();
    await Promise.all(proxies.map((proxy) => proxy.end()));
  }
});

it('the README’s example is the one in example/, and runs', async () => {
  const source = await readFile(join(__dirname, '../example/leader.ts'), 'utf8');
  const example = source.replace(/^\/\* eslint .*\n/, '');
  expect(await readFile(join(__dirname, '../README.md'), 'utf8')).toContain(example);
  const printed: string[] = [];
  const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => (printed.push(String(text)), true));
  const before = process.env.CONSUL_HTTP_ADDR;
  process.env.CONSUL_HTTP_ADDR = consul.address;
  try {
    await jest.requireActual<{ readonly done: Promise<void> }>('../example/leader').done;
  } finally {
    if (before === undefined) delete process.env.CONSUL_HTTP_ADDR;
    else process.env.CONSUL_HTTP_ADDR = before;
    write.mockRestore();
  }
  expect(printed.filter((line) => line.startsWith('leader of term'))).toEqual(
    [1, 2, 3].map((tick) => `leader of term 1: tick ${tick}\n`),
  );
});
