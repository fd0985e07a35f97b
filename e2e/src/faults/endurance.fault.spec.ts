import { readdirSync, readFileSync } from 'node:fs';
import { query } from '../client';
import { beside, segments } from '../rejoining';
import { eventually } from '../wait-for';
import type { Fault } from './fault';
import { faultCluster } from './fault-cluster';
import { becomesWhole } from './whole';

const FAILOVERS = 20;
/** What a process needs from its first failovers on is not counted as growth. */
const WARM_UP = 4;
/** Connections come and go. */
const FILES_MORE_MAX = 12;
const MEMORY_FACTOR_MAX = 1.5;
/** Of the Master, and such as their TTL has not ended yet. */
const SESSIONS_MAX = 3;
/** `wal_keep_size`, `max_wal_size` and what is being written. */
const SEGMENTS_MAX = 40;
const SERVICES = ['db-controller', 'role-server', 'lb-syncer'];

const quorum = faultCluster({ settings: { replication: 'quorum' } });

quorum.row(31, { half: 'long', runs: 1, timeoutMs: 600_000 }, async (fault) => {
  const { cluster, described } = fault;
  let warm = new Map<string, Use>();
  let master = fault.master.name;
  for (let count = 1; count <= FAILOVERS; count += 1) {
    await fault.strike(() => cluster.kill(`${master}/postgres`));
    const next = await fault.anotherMaster(master);
    expect(await becomesWhole(cluster)).toBe(0);
    master = next.name;
    if (count === WARM_UP) warm = useOf(fault);
  }
  const grown = [...useOf(fault)].filter(([service, { files, residentKb }]) => {
    const before = warm.get(service) ?? { files: 0, residentKb: 0 };
    return files > before.files + FILES_MORE_MAX || residentKb > before.residentKb * MEMORY_FACTOR_MAX;
  });
  expect(grown).toEqual([]);

  const slots = "SELECT slot_name AS name FROM pg_replication_slots WHERE slot_type = 'physical'";
  for (const { name, postgresPort, dataDir } of described.nodes) {
    const wanted = name === master ? described.nodes.length - 1 : 0;
    await eventually(
      `${wanted} slots on ${name}`,
      async () => (await query(described, postgresPort, slots)).length === wanted,
    );
    expect(segments(cluster.node(name)).length).toBeLessThan(SEGMENTS_MAX);
    expect(beside(dataDir).filter((entry) => !entry.includes('.diverged-wal-'))).toEqual([]);
  }
  await eventually('sessions of holds that are over to end', async () => (await sessions(fault)) <= SESSIONS_MAX);
});

interface Use {
  readonly files: number;
  readonly residentKb: number;
}

/** What each service has open and in memory now, by member and service. */
function useOf({ cluster }: Fault): Map<string, Use> {
  const { nodes, loadBalancers } = cluster.describe();
  return new Map(
    [...nodes, ...loadBalancers].flatMap(({ name, processes }) =>
      SERVICES.flatMap((service): [string, Use][] => {
        const pid = processes[service];
        if (pid == null) return [];
        const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
        const use = { files: readdirSync(`/proc/${pid}/fd`).length, residentKb: Number(resident) };
        return [[`${name}/${service}`, use]];
      }),
    ),
  );
}

async function sessions({ described }: Fault): Promise<number> {
  const [server] = described.consul.servers;
  const response = await fetch(`${server?.http ?? ''}/v1/session/list`, { signal: AbortSignal.timeout(2_000) });
  const names = ((await response.json()) as { Name: string; Node: string }[]).filter(({ Node }) =>
    described.nodes.some(({ name }) => name === Node),
  );
  return names.length;
}
