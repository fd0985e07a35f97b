import { readFileSync } from 'node:fs';
import { pause } from '@ha-postgres/service-kit';

const LOOK_EVERY_MS = 100;

/** A container's first process, told from a later one of the same number by its start. */
export interface FirstProcess {
  readonly pid: number;
  readonly startedAt: string;
}

/** The process whose number podman wrote to a file; null: it has ended already. */
export const firstProcess = (pidFile: string): FirstProcess | null => processOf(Number(readFileSync(pidFile, 'utf8')));

/** A process as it is now; null: there is none of that number. */
export function processOf(pid: number): FirstProcess | null {
  const seen = statOf(pid);
  return seen === null ? null : { pid, startedAt: seen.startedAt };
}

export function isRunning({ pid, startedAt }: FirstProcess): boolean {
  const seen = statOf(pid);
  return seen !== null && seen.startedAt === startedAt && seen.state !== 'Z';
}

/** Resolves when it has ended. It is looked for in /proc, which costs less than podman's own waiting. */
export async function ended(process: FirstProcess | null, signal?: AbortSignal): Promise<void> {
  while (process !== null && isRunning(process) && signal?.aborted !== true) await pause(LOOK_EVERY_MS, signal);
}

/** SIGKILL to it and to everything that comes from it. */
export function killTree(first: FirstProcess): void {
  if (!isRunning(first)) return;
  const pids = [first.pid];
  for (const pid of pids) pids.push(...childrenOf(pid));
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended with the one before.
    }
  }
}

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    return text.split(' ').flatMap((word) => (word === '' ? [] : [Number(word)]));
  } catch {
    return [];
  }
}

export function kill(first: FirstProcess): void {
  if (isRunning(first)) process.kill(first.pid, 'SIGKILL');
}

function statOf(pid: number): { state: string; startedAt: string } | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name before is in brackets and may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', startedAt: fields[19] ?? '' };
  } catch {
    return null;
  }
}
