import { setTimeout as delay } from 'node:timers/promises';
import { openConnection, type OpenConnection } from '@ha-postgres/checker';
import type { ClusterNode } from '@ha-postgres/local-cluster';
import { query } from '../client';
import { masterKey } from '../master-key';
import { ReceiverKiller } from '../receiver-killer';
import { eventually } from '../wait-for';
import { faultCluster } from './fault-cluster';
import { newGuest, type Guest } from './guest';

const ALL_TAKEN_MS = 10_000;
const CONNECT_MS = 5_000;
/** More than any server here takes. */
const MANY = 1_000;

const connections = faultCluster();

connections.row(37, { half: 'quick', mayLoseUnsent: true }, async (fault) => {
  const { cluster, described, master, replica } = fault;
  const guest = await newGuest(fault);
  const taken: OpenConnection[] = [];
  try {
    await fault.strike(async () => {
      for (const node of described.nodes) taken.push(...(await takeAll(node, guest)));
    });
    // As long as nobody asks for another connection, those who have one notice nothing.
    await delay(ALL_TAKEN_MS);
    await fault.nothingHappens();

    const killer = new ReceiverKiller([replica.dataDir]);
    await delay(CONNECT_MS);
    killer.stop();
    await eventually(`${replica.name} to stream again`, async () => {
      const sql = `SELECT 1 FROM pg_stat_replication WHERE application_name = '${replica.name}' AND state = 'streaming'`;
      return (await query(described, master.postgresPort, sql)).length > 0;
    });

    await cluster.kill(`${master.name}/postgres`);
    await eventually('another Master', async () => {
      const { node, phase } = await masterKey(described);
      return node !== master.name && phase === 'running';
    });
  } finally {
    for (const connection of taken) connection.drop();
  }
  await fault.failsOver();
});

/** Opens connections until the server refuses one because there are too many. */
async function takeAll({ address: host, postgresPort: port }: ClusterNode, guest: Guest): Promise<OpenConnection[]> {
  const taken: OpenConnection[] = [];
  for (;;) {
    try {
      taken.push(await openConnection({ host, port, database: 'postgres', ...guest }, CONNECT_MS));
    } catch (error) {
      if ((error as { code?: string }).code === '53300') return taken;
      throw error;
    }
    if (taken.length > MANY) throw new Error(`${host} takes more than ${MANY} connections`);
  }
}
