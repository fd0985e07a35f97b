import { ApiServer } from './testing/api-server';
import { find, has, helmAsking, manifestsIn, refusal, render, type Manifest } from './testing/render';
import { containersOf, pods } from './testing/workloads';

const KEYS = ['superuser-password', 'replication-password', 'rewind-password', 'controller-password', 'cluster-secret'];

const dataOf = (manifests: readonly Manifest[], name = 'ha-postgres'): Record<string, string> => {
  const { data } = find(manifests, 'Secret', name) as Manifest & { data: Record<string, string> };
  return Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]));
};

let api: ApiServer | null = null;
afterEach(async () => {
  await api?.end();
  api = null;
});

test('passwords are generated, each another, long, and kept when the release goes', () => {
  const manifests = render();
  const data = dataOf(manifests);
  expect(Object.keys(data).sort()).toEqual([...KEYS].sort());
  expect(new Set(Object.values(data)).size).toBe(KEYS.length);
  for (const password of Object.values(data)) expect(password).toMatch(/^[A-Za-z0-9]{32}$/);
  for (const name of ['ha-postgres', 'consul-gossip']) {
    expect(find(manifests, 'Secret', name).metadata.annotations).toMatchObject({ 'helm.sh/resource-policy': 'keep' });
  }
});

test('gossip is encrypted by a key that Consul takes: 32 bytes', () => {
  const { encrypt } = JSON.parse(dataOf(render(), 'consul-gossip')['gossip.json'] ?? '') as { encrypt: string };
  expect(Buffer.from(encrypt, 'base64')).toHaveLength(32);
});

test('an upgrade keeps every password that there is, and makes those that were not there yet', async () => {
  const there = { ...Object.fromEntries(KEYS.map((key) => [key, `old ${key}`])) };
  delete there['rewind-password'];
  const gossip = { 'gossip.json': '{"encrypt":"old"}' };
  api = await ApiServer.start({ 'ha-postgres': there, 'consul-gossip': gossip });
  const manifests = manifestsIn(await helmAsking(api.url));
  expect(api.asked).toContain('/api/v1/namespaces/db/secrets/ha-postgres');
  const data = dataOf(manifests);
  expect(data).toMatchObject(there);
  expect(data['rewind-password']).toMatch(/^[A-Za-z0-9]{32}$/);
  expect(dataOf(manifests, 'consul-gossip')).toEqual(gossip);
});

test('a first installation takes the passwords of the values; where there is nothing, nothing is kept', async () => {
  api = await ApiServer.start({});
  const users = { su: { password: 'mine' }, replication: { password: 'theirs' } };
  const data = dataOf(manifestsIn(await helmAsking(api.url, { db: { postgres: { users } } })));
  expect(data).toMatchObject({ 'superuser-password': 'mine', 'replication-password': 'theirs' });
});

test('a password of the values that is not the one that PostgreSQL has is refused, the same one is not', async () => {
  api = await ApiServer.start({ 'ha-postgres': { 'superuser-password': 'old' } });
  const given = (password: string) => ({ db: { postgres: { users: { su: { password } } } } });
  const refused = await helmAsking(api.url, given('new'));
  expect(refused.status).not.toBe(0);
  expect(refused.stderr).toContain('the superuser-password of the values is not that of Secret ha-postgres');
  expect(dataOf(manifestsIn(await helmAsking(api.url, given('old'))))).toMatchObject({ 'superuser-password': 'old' });
});

test('an existing Secret is used in place of the chart’s, which is not made', () => {
  const manifests = render({
    db: { existingSecret: 'my-passwords' },
    consul: { gossip: { existingSecret: 'my-gossip' } },
  });
  expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  const used = pods(manifests).flatMap(({ spec }) =>
    containersOf(spec).flatMap(({ env = [] }) => env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? [])),
  );
  expect(new Set(used.map(({ name }) => name))).toEqual(new Set(['my-passwords']));
  expect(new Set(used.map(({ key }) => key))).toEqual(new Set(KEYS));
  const mounted = pods(manifests).flatMap(({ spec }) => (spec.volumes ?? []).flatMap(({ secret }) => secret ?? []));
  expect(new Set(mounted.map(({ secretName }) => secretName))).toEqual(new Set(['my-gossip']));
});

test('an existing Secret and a password contradict each other', () => {
  const values = { db: { existingSecret: 'mine', postgres: { users: { su: { password: 'x' } } } } };
  expect(refusal(values)).toContain('db.existingSecret mine and a password in db.postgres.users contradict each other');
  expect(has(render({ db: { existingSecret: 'mine' } }), 'Secret', 'ha-postgres')).toBe(false);
});
