import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { outcomeOf, requestSwitchover } from '../switchover-request';
import { eventually, role } from '../wait-for';
import type { Fault } from './fault';

/** A file system of its own under a directory. */
export interface OwnDisk {
  readonly isRemoved: boolean;
  /** Takes it away, with all that is on it; may be called again. */
  remove(): void;
}

/** Mounts something over a directory and moves what is in it there, and whose it is. Nobody may be at work there. */
export function mountUnder(directory: string, mount: () => void): void {
  carryOver(directory, mount);
}

/** Unmounts it, and leaves in the directory what was on it. Nobody may be at work there. */
export function unmountUnder(directory: string): void {
  carryOver(directory, () => {
    execFileSync('umount', ['--lazy', directory]);
    for (const entry of readdirSync(directory)) rmSync(join(directory, entry), { recursive: true });
  });
}

function carryOver(directory: string, change: () => void): void {
  const { uid, gid, mode } = statSync(directory);
  const aside = mkdtempSync(join(tmpdir(), 'hapg-disk-'));
  const copy = (from: string, to: string) => execFileSync('cp', ['-a', `${from}/.`, to]);
  try {
    copy(directory, aside);
    change();
    copy(aside, directory);
    chownSync(directory, uid, gid);
    chmodSync(directory, mode & 0o7777);
  } finally {
    rmSync(aside, { recursive: true });
  }
}

/** Gives the WAL of {@link Fault.replica} a disk of its own, until the run is over, and makes that node Master. */
export async function masterOnOwnDisk<Disk extends OwnDisk>(
  fault: Fault,
  diskUnder: (directory: string) => Disk,
): Promise<Disk> {
  const { cluster, described, master } = fault;
  const { name, dataDir } = fault.replica;
  await cluster.kill(name);
  const disk = diskUnder(join(dataDir, 'pg_wal'));
  fault.afterwards(async () => {
    if (disk.isRemoved) return;
    await cluster.kill(name);
    disk.remove();
    await cluster.start(name);
  });
  await cluster.start(name);
  await role(cluster, name, 'Replica');
  await eventually('the cluster to be whole', async () => (await cluster.whatIsMissing()) === null);
  // What a Replica tells Consul of itself comes a moment later than it is so.
  await eventually(`a switchover to ${name}`, async () => {
    const { refused } = await outcomeOf(cluster, await requestSwitchover(described, master.name, name));
    return refused === null;
  });
  return disk;
}
