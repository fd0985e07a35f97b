import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { WORKSPACE_ROOT } from '@ha-postgres/local-cluster';

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs podman as the tools do, and says what came of it. */
export function tryPodman(...args: readonly string[]): Outcome {
  return spawnSync(process.execPath, [join(WORKSPACE_ROOT, 'tools', 'container-command.mjs'), 'run', ...args], {
    encoding: 'utf8',
    env: { ...process.env, CONTAINER_TOOL: 'podman' },
    timeout: 120_000,
  });
}

/**
 * What podman prints, without the blanks around it.
 * @throws Error with what it said, if it fails.
 */
export function podman(...args: readonly string[]): string {
  const { status, stdout, stderr } = tryPodman(...args);
  if (status !== 0) throw new Error(`podman ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
}

/** As in a pod of the restricted standard: nothing can be written but what is mounted, and no right can be won. */
export const RESTRICTED: readonly string[] = [
  '--read-only',
  '--read-only-tmpfs=false',
  '--cap-drop=all',
  '--security-opt=no-new-privileges',
];
