import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RemoteCluster } from '@ha-postgres/local-cluster';
import { eventually } from './wait-for';

/**
 * What an administrator does so that DeadMasters join again: empties their data directories, also of those that are found to be
 * one only now. Resolves when all stream.
 */
export function deadMastersJoinAgain(cluster: RemoteCluster): Promise<unknown> {
  const emptied = new Set<string>();
  return eventually('all DeadMasters to join again', async () => {
    const { nodes } = cluster.describe();
    for (const { name, role, dataDir } of nodes) {
      if (role !== 'DeadMaster') emptied.delete(name);
      else if (!emptied.has(name)) {
        for (const entry of readdirSync(dataDir)) rmSync(join(dataDir, entry), { recursive: true });
        emptied.add(name);
      }
    }
    return (await cluster.whatIsMissing()) === null;
  });
}
