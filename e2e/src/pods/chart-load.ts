import { startLoad, type Load } from '@ha-postgres/checker';
import { PORTS, type InstalledChart } from './installed-chart';

/** A write that takes longer has failed. Long: how quick writes are is not judged here. */
const TIMEOUT_MS = 10_000;

/** A client that writes through the service all the time. */
export function loadOnChart({ cluster, superuserPassword }: InstalledChart): Promise<Load> {
  const servers = cluster.podsOf('StatefulSet/consul').flatMap(({ ip }) => (ip === null ? [] : [`http://${ip}:8500`]));
  return startLoad({
    masters: [{ host: cluster.addressOf('postgres'), port: PORTS.master }],
    // Pods come back with other addresses, so nobody is asked past the service.
    nodes: [],
    user: 'postgres',
    password: superuserPassword,
    database: 'postgres',
    consul: { addresses: servers, prefix: 'service/postgres' },
    clients: [{ everyMs: 10, isFresh: false }],
    probeEveryMs: null,
    timeoutMs: TIMEOUT_MS,
  });
}
