import { connect } from 'node:net';
import fc from 'fast-check';
import type { RemoteCluster } from '@ha-postgres/local-cluster';
import { leadingServer } from '../consul-servers';
import { typed } from '../hapg';
import { runAgain } from '../second-process';
import { eventually } from '../wait-for';
import { faultCluster } from './fault-cluster';

const SEED = 20_261_123;
const REQUESTS = 150;
const RAW = 60;
const LIMIT_MS = 5_000;
/** What no option that has a form takes. */
const GARBAGE_TEXT = "\u0007 garbage;'$(x)";
const FREE_TEXT = /\((text|comma separated list|name of a file)\b/;
/** What no JSON value of any key is. */
const GARBAGE = ['', 'garbage', '{}', '[]', 'null', '-1', '{"term":"x","members":7}', `{"x":"${'y'.repeat(200_000)}"}`];
/** Only a person writes these, and so only a person takes them away. */
const OF_A_PERSON = ['pause', 'switchover', 'override', 'epoch', 'config'];

const garbage = faultCluster();

garbage.row(39, { half: 'quick', variant: 'in every key' }, async (fault) => {
  const { cluster } = fault;
  const pids = pidsOf(cluster);
  const keys = await keysOf(cluster);
  expect(keys.length).toBeGreaterThan(10);
  await fault.strike(async () => {
    for (const text of GARBAGE) {
      for (const key of keys) await put(cluster, key, text);
      await fault.writesGoOn(10);
    }
  });
  for (const key of OF_A_PERSON) await put(cluster, key, null);
  await fault.nothingHappens();
  expect(pidsOf(cluster)).toEqual(pids);
  await everyKeyIsReadableAgain(cluster);
  const told = fault.described.nodes.flatMap(({ name }) => fault.logOf(`${name}/db-controller`));
  expect(told.filter(({ event }) => event === 'consul.unreadable').length).toBeGreaterThan(GARBAGE.length);
});

garbage.row(39, { half: 'quick', variant: 'at every HTTP endpoint' }, async (fault) => {
  const { cluster, described } = fault;
  const pids = pidsOf(cluster);
  const urls = [
    ...described.nodes.map(({ roleServerUrl }) => roleServerUrl),
    ...described.loadBalancers.map(({ syncerUrl }) => syncerUrl),
  ];
  await fault.strike(async () => {
    for (const url of urls) {
      await fc.assert(
        fc.asyncProperty(anyRequest, (request) => isAnswered(url, request)),
        { numRuns: REQUESTS, seed: SEED },
      );
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), (bytes) => isSurvived(url, bytes)),
        { numRuns: RAW, seed: SEED },
      );
    }
  });
  // The questions take processor time that clients lack: writes may be late, but nobody takes over and nobody dies.
  await fault.writesGoOn();
  await fault.sameMaster();
  expect(pidsOf(cluster)).toEqual(pids);
});

garbage.row(39, { half: 'quick', variant: 'in every option' }, async (fault) => {
  const { cluster, replica, described } = fault;
  const pids = pidsOf(cluster);
  const services: (number | null | undefined)[] = [
    ...['db-controller', 'role-server', 'postgres-runner'].map((name) => replica.processes[name]),
    ...described.loadBalancers.slice(0, 1).map(({ processes }) => processes['lb-syncer']),
  ];
  expect(services).toHaveLength(4);
  await fault.strike(async () => {
    for (const pid of services) {
      const given = optionsIn((await runAgain(pid ?? 0, {}, '--help')).output);
      expect(given.length).toBeGreaterThan(5);
      // One that is unknown as well: nothing may start with what is free text and so not garbage.
      const change = Object.fromEntries(given.map(({ variable }) => [variable, GARBAGE_TEXT]));
      const { code, output } = await runAgain(pid ?? 0, change, '--garbage');
      expect(code).toBe(78);
      const told = ({ variable }: Given) => output.includes(`(${variable}): ${JSON.stringify(GARBAGE_TEXT)} `);
      const untold = given.filter((one) => !one.isFreeText && !told(one));
      expect(untold).toEqual([]);
    }
  });
  await fault.nothingHappens();
  expect(pidsOf(cluster)).toEqual(pids);
});

interface Given {
  readonly variable: string;
  readonly isFreeText: boolean;
}

/** Every option of a service that the environment can give, by what `--help` says of it. */
function optionsIn(help: string): Given[] {
  const options = help.replace(/\s+/g, ' ').split(/ (?=--[a-z-]+ \[value\])/);
  return options.slice(1).flatMap((text) => {
    const variable = /\bHAPG_\w+(?= or |\))/.exec(text)?.[0];
    return variable === undefined ? [] : [{ variable, isFreeText: FREE_TEXT.test(text) }];
  });
}

interface AnyRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly body: string;
  readonly type: string;
}

const paths = ['ready', 'role', 'status', 'runner', 'vote', 'failsafe', 'wal-tail', 'x'].map(
  (name) => `/controller/${name}`,
);
const anyRequest: fc.Arbitrary<AnyRequest> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD', 'PATCH'),
  path: fc.oneof(
    fc.constantFrom(
      ...paths,
      '/primary',
      '/replica',
      '/health',
      '/liveness',
      '/readiness',
      '/metrics',
      '/healthz',
      '/',
    ),
    fc.webPath(),
  ),
  query: fc.oneof(
    fc.constant(''),
    fc.webQueryParameters(),
    fc.constantFrom('role=x', 'lag=-1', 'index=x&wait=y', 'wait=1ms&index=1e99'),
  ),
  body: fc.oneof(fc.constant(''), fc.string(), fc.json(), fc.string({ minLength: 70_000, maxLength: 70_000 })),
  type: fc.constantFrom('application/json', 'text/plain', 'multipart/form-data', 'x'),
});

/** Whatever is asked: an answer in time, which for a refusal is JSON. What was not foreseen would be HAPG_INTERNAL. */
async function isAnswered(url: string, { method, path, query, body, type }: AnyRequest): Promise<void> {
  const hasBody = !['GET', 'HEAD'].includes(method);
  const response = await fetch(`${url}${path === '' ? '/' : path}${query === '' ? '' : `?${query}`}`, {
    method,
    headers: { 'content-type': type },
    ...(hasBody ? { body } : {}),
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  const text = await response.text();
  expect([200, 204, 400, 401, 403, 404, 405, 409, 413, 415, 503]).toContain(response.status);
  expect(text).not.toContain('HAPG_INTERNAL');
}

/** Bytes that are no HTTP: the connection is answered or closed. */
function isSurvived(url: string, bytes: Uint8Array): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    const limit = setTimeout(() => {
      socket.destroy();
      reject(new Error(`a connection to ${url} hung after ${Buffer.from(bytes).toString('hex')}`));
    }, LIMIT_MS);
    socket.on('error', () => undefined);
    socket.on('data', () => undefined);
    socket.on('close', () => {
      clearTimeout(limit);
      resolve();
    });
    socket.end(bytes);
  });
}

function pidsOf(cluster: RemoteCluster): Record<string, Readonly<Record<string, number | null>>> {
  const { nodes, loadBalancers } = cluster.describe();
  return Object.fromEntries([...nodes, ...loadBalancers].map(({ name, processes }) => [name, processes]));
}

/** All that stand there, and those that a person may write. */
async function keysOf(cluster: RemoteCluster): Promise<string[]> {
  const { consul } = cluster.describe();
  const response = await fetch(`${await leaderOf(cluster)}/v1/kv/${consul.prefix}/?keys`);
  const found = ((await response.json()) as string[]).map((key) => key.slice(consul.prefix.length + 1));
  return [...new Set([...found, ...OF_A_PERSON])];
}

async function put(cluster: RemoteCluster, key: string, text: string | null): Promise<void> {
  const url = `${await leaderOf(cluster)}/v1/kv/${cluster.describe().consul.prefix}/${key}`;
  const response = await fetch(url, text === null ? { method: 'DELETE' } : { method: 'PUT', body: text });
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
}

async function leaderOf(cluster: RemoteCluster): Promise<string> {
  const { consul } = cluster.describe();
  const leader = await eventually('a Consul leader', () => leadingServer(cluster.describe()));
  return consul.servers.find(({ name }) => name === leader)?.http ?? consul.http;
}

/** A load balancer's report is written when its routes change: until then it is what somebody wrote. */
async function everyKeyIsReadableAgain(cluster: RemoteCluster): Promise<void> {
  await eventually('every key to be readable again', async () => {
    const { unreadable } = JSON.parse(await typed(cluster.describe(), 'status', '--json')) as {
      unreadable: { key: string }[];
    };
    return unreadable.every(({ key }) => key.includes('/lb/'));
  });
}
