import { rmSync } from 'node:fs';
import { joinsAgain } from './whole';
import { faultCluster } from './fault-cluster';

const data = faultCluster();

// PostgreSQL is at work while its directory goes: what it writes meanwhile is in the way of a removal.
const RETRIES = 20;

data.row(19, { half: 'quick', variant: 'removed', mayLoseUnsent: true }, async (fault) => {
  const { cluster, master } = fault;
  await fault.strike(() => {
    rmSync(master.dataDir, { recursive: true, force: true, maxRetries: RETRIES, retryDelay: 20 });
    return Promise.resolve();
  });
  await fault.failsOver();
  expect(await joinsAgain(cluster, master.name)).toBe('by itself');
});
