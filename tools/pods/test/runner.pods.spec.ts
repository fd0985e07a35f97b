import { join } from 'node:path';
import { waitFor, WORKSPACE_ROOT } from '@ha-postgres/local-cluster';
import type { KubernetesObject, StatefulSet } from '../src/kubernetes';
import { mustRun } from '../src/run/program';
import { PodsCluster } from '../src/run/pods-cluster';

/** A small web server instead of a database: it is ready, and lives, while files of its claim do not say otherwise. */
const SERVER = `
  const fs = require('node:fs');
  const is = (name) => fs.existsSync('/claim/' + name);
  fs.appendFileSync('/claim/log', 'start ' + process.env.POD + ' ' + process.env.SECRET + '\\n');
  require('node:http').createServer((request, response) => {
    const isWell = request.url === '/live' ? !is('dead') : !is('unready');
    response.writeHead(isWell ? 200 : 503).end(process.env.POD);
  }).listen(8080);
  process.on('SIGTERM', () => { fs.appendFileSync('/claim/log', 'SIGTERM\\n'); process.exit(0); });`;
const ASK = `
  const [url] = process.argv.slice(1);
  fetch(url, { signal: AbortSignal.timeout(3000) }).then(async (r) => process.stdout.write(await r.text()),
    (error) => { process.stdout.write(error.cause?.code ?? error.name); });`;

const BUILD_MS = 600_000;
const WAIT_MS = 60_000;
let image = '';
let cluster: PodsCluster;

beforeAll(async () => {
  const bases = await mustRun(join(WORKSPACE_ROOT, 'tools', 'base-images'), ['trixie'], { timeoutMs: BUILD_MS });
  image = /NODE_IMAGE=(\S+)/.exec(bases)?.[1] ?? '';
  cluster = await PodsCluster.start('toy');
  cluster.apply(objects(2));
  await cluster.settled(WAIT_MS);
}, BUILD_MS);
afterAll(() => (cluster as PodsCluster | undefined)?.stop());

test('containers find each other by the names of services and of pods, short and long', async () => {
  expect(await ask('web-0', 'http://web-1.all:8080/')).toBe('web-1');
  expect(await ask('web-0', 'http://web-1.all.toy.svc.cluster.local:8080/')).toBe('web-1');
  expect(['web-0', 'web-1']).toContain(await ask('web-1', 'http://front/'));
  expect(await ask('web-0', 'http://nobody/')).toBe('ENOTFOUND');
});

test('a service leads back to the very pod that asks it, too', async () => {
  for (const name of ['web-0', 'web-1']) expect(await ask(name, `http://only-${name}/`)).toBe(name);
});

test('a pod that is not ready gets nobody from its service; when none is ready, it refuses', async () => {
  await say('web-0', 'touch /claim/unready');
  await becomes(() => !cluster.pod('web-0').isReady, 'web-0 not to be ready');
  const answers = await Promise.all(Array.from({ length: 8 }, () => ask('web-0', 'http://front/')));
  expect([...new Set(answers)]).toEqual(['web-1']);
  await say('web-1', 'touch /claim/unready');
  await becomes(async () => (await ask('web-0', 'http://front/')) === 'ECONNREFUSED', 'the service to refuse');
  for (const name of ['web-0', 'web-1']) await say(name, 'rm /claim/unready');
  await cluster.settled(WAIT_MS);
  expect(cluster.pod('web-0').restarts.main).toBe(0);
}, 120_000);

test('a container that fails its liveness probe is ended, and started again', async () => {
  const before = await logOf('web-0');
  await say('web-0', 'touch /claim/dead');
  await becomes(() => cluster.pod('web-0').restarts.main === 1, 'the container to be started again');
  await say('web-0', 'rm /claim/dead');
  await cluster.settled(WAIT_MS);
  expect((await logOf('web-0')).slice(before.length)).toEqual(['SIGTERM', 'start web-0 s3cret']);
}, 120_000);

test('only what is mounted can be written, by the account that is named, and the init container has run', async () => {
  expect(await say('web-0', 'id -u; id -G; touch /x 2>&1 || true; cat /claim/init')).toMatch(
    /^1000\n1000 1234\n.*Read-only file system\nof web-0\n?$/,
  );
});

test('a pod that is deleted is told first, keeps its claim, and comes back with another address', async () => {
  const { ip } = cluster.pod('web-1');
  const before = await logOf('web-1');
  const { hooks } = await cluster.delete('web-1');
  expect(hooks.map(({ status }) => status)).toEqual([0]);
  await cluster.settled(WAIT_MS);
  expect(cluster.pod('web-1').ip).not.toBe(ip);
  expect((await logOf('web-1')).slice(before.length)).toEqual(['preStop', 'SIGTERM', 'start web-1 s3cret']);
}, 120_000);

test('a pod that is killed is told nothing, and comes back', async () => {
  const before = await logOf('web-1');
  await cluster.kill('web-1');
  await cluster.settled(WAIT_MS);
  expect((await logOf('web-1')).slice(before.length)).toEqual(['start web-1 s3cret']);
}, 120_000);

test('pods of another template are replaced from the highest number down; fewer are wanted: the highest goes', async () => {
  const [first, second] = [cluster.pod('web-0'), cluster.pod('web-1')];
  cluster.apply(objects(2, 'changed'));
  await becomes(() => second.isEnding, 'web-1 to be replaced');
  expect(first.isEnding).toBe(false);
  await becomes(() => first.isGone && second.isGone && cluster.isSettled, 'both to be replaced');
  cluster.apply(objects(1, 'changed'));
  await becomes(() => cluster.pods.length === 1, 'one to be left');
  expect(cluster.pods.map(({ name }) => name)).toEqual(['web-0']);
  expect(cluster.claims).toEqual(['claim-web-0', 'claim-web-1']);
}, 180_000);

const becomes = (look: () => boolean | Promise<boolean>, what: string): Promise<unknown> =>
  waitFor(look, { what, timeoutMs: WAIT_MS, everyMs: 50 });

async function say(pod: string, command: string): Promise<string> {
  const { status, stdout, stderr } = await cluster.exec(pod, 'main', 'sh', '-c', command);
  if (status !== 0) throw new Error(`${pod}: ${command}: ${stderr}`);
  return stdout;
}

async function ask(pod: string, url: string): Promise<string> {
  return (await cluster.exec(pod, 'main', 'node', '-e', ASK, url)).stdout;
}

/** What the pods of that name have written into their claim. */
async function logOf(pod: string): Promise<string[]> {
  return (await say(pod, 'cat /claim/log')).trim().split('\n');
}

function objects(replicas: number, annotation = ''): KubernetesObject[] {
  const labels = { app: 'web' };
  const mounts = [{ name: 'claim', mountPath: '/claim' }];
  const env = [
    { name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
    { name: 'SECRET', valueFrom: { secretKeyRef: { name: 'word', key: 'it' } } },
  ];
  const probe = { periodSeconds: 1, timeoutSeconds: 3 };
  const set: StatefulSet = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: 'web' },
    spec: {
      serviceName: 'all',
      replicas,
      volumeClaimTemplates: [{ metadata: { name: 'claim' } }],
      template: {
        metadata: { labels, annotations: { annotation } },
        spec: {
          securityContext: { runAsUser: 1000, runAsGroup: 1000, runAsNonRoot: true, fsGroup: 1234 },
          initContainers: [
            { name: 'first', image, command: ['sh', '-c', 'echo of $(POD) >/claim/init'], env, volumeMounts: mounts },
          ],
          containers: [
            {
              name: 'main',
              image,
              command: ['node', '/code/server.js'],
              env,
              ports: [{ name: 'http', containerPort: 8080 }],
              volumeMounts: [...mounts, { name: 'code', mountPath: '/code', readOnly: true }],
              // Until it has begun to listen it is not asked whether it lives.
              startupProbe: { ...probe, tcpSocket: { port: 'http' }, failureThreshold: 60 },
              readinessProbe: { ...probe, httpGet: { path: '/ready', port: 'http' }, failureThreshold: 1 },
              livenessProbe: { ...probe, httpGet: { path: '/live', port: 'http' } },
              lifecycle: { preStop: { exec: { command: ['sh', '-c', 'echo preStop >>/claim/log'] } } },
              securityContext: { readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
            },
          ],
          volumes: [{ name: 'code', configMap: { name: 'code' } }],
        },
      },
    },
  };
  return [
    set,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'code' }, data: { 'server.js': SERVER } },
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'word' }, stringData: { it: 's3cret' } },
    service('front', { ports: [{ port: 80, targetPort: 'http' }], selector: labels }),
    ...['web-0', 'web-1'].map((pod) =>
      service(`only-${pod}`, {
        ports: [{ port: 80, targetPort: 'http' }],
        selector: { 'statefulset.kubernetes.io/pod-name': pod },
      }),
    ),
    service('all', { clusterIP: 'None', publishNotReadyAddresses: true, selector: labels }),
  ];
}

const service = (name: string, spec: object): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec,
});
