import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onPath, type Programs } from '../src/workspace';
import { ownCluster, type OwnedCluster } from '../src/owner';

/** Network namespaces and mounts are for root on Linux alone; elsewhere these are reported as left out. */
const isRootOnLinux = process.platform === 'linux' && process.getuid?.() === 0;
export const describeAsRoot = isRootOnLinux ? describe : describe.skip;
export const itAsRoot = isRootOnLinux ? it : it.skip;

const STAND_IN = join(__dirname, 'stand-in.cjs');

/** Real Consul and HAProxy, and services that only stand there. */
export const standIns = (): Programs => ({
  consul: onPath('consul'),
  haproxy: onPath('haproxy'),
  postgresBin: '/unused',
  dbController: STAND_IN,
  roleServer: STAND_IN,
  postgresRunner: STAND_IN,
  lbSyncer: STAND_IN,
});

export function temporaryDirectory(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'hapg-test-')));
}

export interface Sized {
  readonly nodes: number;
  readonly loadBalancers: number;
}

/** A started cluster of stand-ins; `end` it in any case. */
export async function standInCluster(
  size: Sized,
): Promise<OwnedCluster & { end: () => Promise<void>; workdir: string }> {
  const workdir = temporaryDirectory();
  const owned = await ownCluster(
    { ...size, consulServers: 1, workdir, settings: { leaseDuration: '5s' } },
    { onDown: () => undefined, programs: standIns() },
  );
  const end = async () => {
    await owned.stop(0);
    rmSync(workdir, { recursive: true, force: true });
  };
  return { ...owned, end, workdir };
}
