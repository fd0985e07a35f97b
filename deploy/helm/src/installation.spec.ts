import { parseInstallation, secretValue } from '@ha-postgres/kubernetes';
import { find, render } from './testing/render';
import { VALUE_SETS } from './testing/value-sets';

const installationOf = (values: (typeof VALUE_SETS)[string]) =>
  parseInstallation(JSON.stringify({ kind: 'List', items: render(values) }));

test('tools/demo finds in the cluster what the chart has put there', () => {
  const installation = installationOf({});
  expect(installation).toEqual({
    nodes: ['ha-postgres-0', 'ha-postgres-1', 'ha-postgres-2'],
    consulPrefix: 'service/postgres',
    hasOwnConsul: true,
    ports: { postgres: 5432, roleServer: 8080, master: 5432, standby: 5433, stats: 9999 },
    superuser: { name: 'postgres', password: { secret: 'ha-postgres', key: 'superuser-password' } },
  });
  const secret = JSON.stringify(find(render(), 'Secret', 'ha-postgres'));
  expect(secretValue(secret, installation.superuser.password)).toMatch(/^\w{32}$/);
});

test('ports, prefix and users that the values change are found as well', () => {
  const values = {
    db: { clusterSize: 5, controller: { consulKeyPrefix: 'pg/shop' }, postgres: { users: { su: { name: 'root' } } } },
    lb: { masterDbPort: 6432, standbyDbPort: 6433, haproxy: { statsPort: 7777 } },
  };
  expect(installationOf(values)).toMatchObject({
    nodes: expect.arrayContaining(['ha-postgres-4']) as string[],
    consulPrefix: 'pg/shop',
    ports: { master: 6432, standby: 6433, stats: 7777 },
    superuser: { name: 'root' },
  });
});

test.each(Object.entries(VALUE_SETS))('%s: an installation can be read', (_name, values) => {
  const { nodes, hasOwnConsul } = installationOf(values);
  expect(nodes[0]).toBe('ha-postgres-0');
  const external = (values.consul as { external?: { enabled?: boolean } } | undefined)?.external?.enabled === true;
  expect(hasOwnConsul).toBe(!external);
});

test('what is no release of the chart is told by what is missing', () => {
  const items = render().filter(({ kind }) => kind !== 'Deployment');
  expect(() => parseInstallation(JSON.stringify({ items }))).toThrow('Deployment postgres-lb is missing');
  expect(() => parseInstallation('{"items":[]}')).toThrow('no release of the chart ha-postgres is there');
  expect(() => secretValue('{"data":{}}', { secret: 's', key: 'k' })).toThrow('key k of Secret s');
});
