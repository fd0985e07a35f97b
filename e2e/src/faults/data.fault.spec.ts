import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { joinsAgain } from './whole';
import { faultCluster } from './fault-cluster';

const data = faultCluster();

// PostgreSQL is at work while its directory goes: what it writes meanwhile is in the way of a removal.
const RETRIES = 20;
const CONTROL_FILE_BYTES = 8192;

data.row(19, { half: 'quick', variant: 'removed', mayLoseUnsent: true }, async (fault) => {
  const { cluster, master } = fault;
  await fault.strike(() => {
    rmSync(master.dataDir, { recursive: true, force: true, maxRetries: RETRIES, retryDelay: 20 });
    return Promise.resolve();
  });
  await fault.failsOver();
  expect(await joinsAgain(cluster, master.name)).toBe('by itself');
});

data.row(19, { half: 'quick', variant: 'control file overwritten', mayLoseUnsent: true }, async (fault) => {
  const { cluster, master } = fault;
  await fault.strike(async () => {
    writeFileSync(join(master.dataDir, 'global', 'pg_control'), Buffer.alloc(CONTROL_FILE_BYTES, 0xa5));
    await cluster.kill(`${master.name}/postgres`);
  });
  await fault.failsOver();
  await joinsAgain(cluster, master.name);
  const events = fault.logOf(`${master.name}/postgres-runner`).map(({ event }) => event);
  expect(events).toContain('clone.finished');
});
