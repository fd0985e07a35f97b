import HaproxyProcess from 'haproxy-sdk/lib/_ha-proxy-process';
import { setServerAddress, setServerState, showInfo, showStat, type Stat } from '../src';
import { startHaproxy, type RealHaproxy } from './real-haproxy';

// haproxy-sdk reads the same answers of the same live HAProxy, over the same unix socket.
let haproxy: RealHaproxy;
let sdk: HaproxyProcess;
beforeAll(async () => {
  haproxy = await startHaproxy();
  const server = { backend: 'master', server: 'master0' };
  await haproxy.admin.batch([
    setServerAddress(server, { host: '127.0.0.9', port: 5432 }),
    setServerState(server, 'ready'),
  ]);
  sdk = new HaproxyProcess(haproxy.adminSocket);
});
afterAll(() => haproxy.stop());

/** What changes from one question to the next by being asked, or by time. */
const MOVING_INFO = /^(?:Cum|Curr|Conn|Sess|Max\w*Rate|Uptime|Bytes|Total|Pool|Jobs|Tasks|Run_queue|Idle|FailedRes)/;
const MOVING_STAT = /^(?:lastchg|downtime|check_duration|lastsess)$/;

type SdkStats = Awaited<ReturnType<HaproxyProcess['stats']>>;

function sdkLine(
  stats: SdkStats,
  { kind, proxy, name }: Stat,
): { get(column: string): string | undefined } | undefined {
  if (kind === 'frontend') return stats.frontends[proxy];
  return kind === 'backend' ? stats.backends[proxy]?.stats : stats.backends[proxy]?.servers[name];
}

describe('compared with haproxy-sdk', () => {
  it('"show info" has the same fields and values', async () => {
    const theirs = await sdk.processInfo();
    const ours = (await haproxy.admin.run(showInfo())).fields;
    const steady = [...ours].filter(([field, value]) => value !== '' && !MOVING_INFO.test(field));
    expect(steady.length).toBeGreaterThan(30);
    expect(Object.fromEntries(steady)).toEqual(Object.fromEntries(steady.map(([field]) => [field, theirs[field]])));
    expect([...ours].filter(([, value]) => value !== '').map(([field]) => field)).toEqual(Object.keys(theirs));
  });

  it('"show stat" has the same objects and values', async () => {
    const theirs = await sdk.stats();
    const ours = await haproxy.admin.run(showStat());
    expect(ours).toHaveLength(7);
    for (const stat of ours) {
      const line = sdkLine(theirs, stat);
      const steady = [...stat.fields].filter(([column]) => !MOVING_STAT.test(column));
      expect(steady.length).toBeGreaterThan(80);
      for (const [column, value] of steady) {
        expect([stat.proxy, stat.name, column, value]).toEqual([stat.proxy, stat.name, column, line?.get(column)]);
      }
    }
    expect(Object.keys(theirs.backends)).toEqual(['master', 'standby']);
  });
});
