import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterNode } from '@ha-postgres/local-cluster';
import { monotonicNow } from '@ha-postgres/service-kit';
import { query } from '../client';
import { masterKey } from '../master-key';
import { eventually } from '../wait-for';
import type { Fault } from './fault';
import { faultCluster } from './fault-cluster';

/** Much longer than any lease, promise or session: whoever promoted without Consul would have by then. */
const MASTERLESS_MS = 15_000;
const LOOK_MS = 200;
const TIMEOUT_MS = 2_000;
/** A new Master is there so soon after a member has had a consistent answer again. */
const SUCCEEDED_MS = 5_000;

const consul = faultCluster();

for (const { time, half, ms } of [
  { time: '20 s', half: 'quick', ms: 20_000 },
  { time: '2 min', half: 'long', ms: 120_000 },
] as const) {
  const variant = `no server for ${time}, and then the Master’s node lost`;
  consul.row(14, { half, variant, runs: 1, timeoutMs: ms + 240_000, mayLoseUnsent: true }, async (fault) => {
    const { cluster, master } = fault;
    await fault.strike(() => allServers(fault, (server) => cluster.kill(server, true)));
    await delay(ms);
    await fault.writesGoOn();
    expect(fault.failures).toEqual([]);

    await cluster.kill(master.name, true);
    const until = monotonicNow() + MASTERLESS_MS;
    await nobodyPromotes(fault, () => monotonicNow() >= until);
    const back = fault.mend(() => allServers(fault, (server) => cluster.start(server)));
    await nobodyPromotes(fault, () => anyMemberReads(fault));
    await eventually(
      'another Master, in time',
      async () => {
        const { node, phase } = await masterKey(fault.described);
        return node !== master.name && phase === 'running';
      },
      SUCCEEDED_MS,
    );
    await back;
    await fault.failsOver();
    await fault.mend(() => cluster.start(master.name));
  });
}

/** Looks at every Replica again and again. @throws Error naming one that is out of recovery. */
async function nobodyPromotes({ described, replicas }: Fault, isOver: () => boolean | Promise<boolean>): Promise<void> {
  const isPromoted = async ({ postgresPort }: ClusterNode) => {
    const [row] = await query<{ standby: boolean }>(described, postgresPort, 'SELECT pg_is_in_recovery() AS standby');
    return row?.standby === false;
  };
  while (!(await isOver())) {
    for (const replica of replicas)
      if (await isPromoted(replica)) throw new Error(`${replica.name} was promoted without Consul`);
    await delay(LOOK_MS);
  }
}

/** Whether the agent of a member that lives has had a consistent answer from Consul's leader. */
async function anyMemberReads({ described, replicas }: Fault): Promise<boolean> {
  const answers = replicas.map(async ({ consulHttp }) => {
    const url = `${consulHttp}/v1/kv/${described.consul.prefix}/master?consistent`;
    return (await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })).ok;
  });
  return (await Promise.allSettled(answers)).some((one) => one.status === 'fulfilled' && one.value);
}

async function allServers({ described }: Fault, work: (server: string) => Promise<void>): Promise<void> {
  await Promise.all(described.consul.servers.map(({ name }) => work(name)));
}
