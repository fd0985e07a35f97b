import { Resolver } from 'node:dns/promises';
import { DnsServer } from '../src/network/dns-server';

let server: DnsServer;
const resolver = new Resolver({ timeout: 2_000, tries: 2 });

beforeAll(async () => {
  server = await DnsServer.start('127.0.0.1', 0);
  server.zone = new Map([
    ['web.db.svc.cluster.local', ['10.0.0.5', '10.0.0.6']],
    ['none.db.svc.cluster.local', []],
  ]);
  resolver.setServers([`127.0.0.1:${server.port}`]);
});
afterAll(() => server.stop());

test('a resolver gets all addresses of a name, however it is written', async () => {
  expect((await resolver.resolve4('Web.DB.svc.cluster.local')).sort()).toEqual(['10.0.0.5', '10.0.0.6']);
});

test('a name without addresses is there, also where other kinds are asked for; another is not', async () => {
  await expect(resolver.resolve4('none.db.svc.cluster.local')).rejects.toMatchObject({ code: 'ENODATA' });
  await expect(resolver.resolve6('web.db.svc.cluster.local')).rejects.toMatchObject({ code: 'ENODATA' });
  await expect(resolver.resolve4('other.db.svc.cluster.local')).rejects.toMatchObject({ code: 'ENOTFOUND' });
});

test('names change as pods come and go', async () => {
  server.zone = new Map([['web.db.svc.cluster.local', ['10.0.0.9']]]);
  expect(await resolver.resolve4('web.db.svc.cluster.local')).toEqual(['10.0.0.9']);
});
