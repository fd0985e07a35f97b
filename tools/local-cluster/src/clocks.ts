import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFile } from './atomic-file';
import type { NodePlace } from './layout';
import type { ProcessSpec } from './supervised';

const LIBRARIES = ['x86_64-linux-gnu', 'aarch64-linux-gnu'].map(
  (platform) => `/usr/lib/${platform}/faketime/libfaketimeMT.so.1`,
);

/** libfaketime, by which a process sees another wall clock than the machine's. @throws Error if it is not installed. */
export function clockLibrary(): string {
  const file = LIBRARIES.find(existsSync);
  if (file === undefined) throw new Error('libfaketime is missing: on Debian and Ubuntu, apt-get install faketime');
  return file;
}

/** A node's service and all that it starts read the wall clock through the library; monotonic time is the machine's. */
export function withOwnClock(library: string | null, node: NodePlace, spec: ProcessSpec): ProcessSpec {
  if (library === null) return spec;
  const clock = {
    LD_PRELOAD: library,
    FAKETIME_TIMESTAMP_FILE: clockFile(node.dir),
    // Read at each look, so that a jump is seen by all at once.
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    // What it would share between processes belongs to the first of them, which may be another user.
    FAKETIME_DISABLE_SHM: '1',
  };
  return { ...spec, env: { ...spec.env, ...clock } };
}

/** Sets the wall clock of a node ahead of the machine's, or with a negative number behind it. */
export function setClock(nodeDir: string, seconds: number): void {
  // Read by PostgreSQL's user as well.
  replaceFile(clockFile(nodeDir), `${seconds < 0 ? '-' : '+'}${Math.abs(seconds)}\n`, 0o644);
}

function clockFile(nodeDir: string): string {
  return join(nodeDir, 'clock');
}
