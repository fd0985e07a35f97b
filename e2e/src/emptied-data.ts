import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RemoteCluster } from '@ha-postgres/local-cluster';
import { settled } from './wait-for';

/** What an administrator does so that DeadMasters join again: empties their data directories. Resolves when all stream. */
export async function deadMastersJoinAgain(cluster: RemoteCluster): Promise<void> {
  for (const { role, dataDir } of cluster.describe().nodes) {
    if (role !== 'DeadMaster') continue;
    for (const entry of readdirSync(dataDir)) rmSync(join(dataDir, entry), { recursive: true });
  }
  await settled(cluster);
}
