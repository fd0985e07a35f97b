import { readFileSync } from 'node:fs';
import { postmasterPid } from '@ha-postgres/local-cluster';

const EVERY_MS = 5;

/**
 * Ends the WAL receivers of data directories (SIGTERM) as soon as they appear, until stopped. PostgreSQL starts another one
 * every `wal_retrieve_retry_interval`.
 */
export class ReceiverKiller {
  private readonly timer: NodeJS.Timeout;

  constructor(dataDirs: readonly string[]) {
    this.timer = setInterval(() => dataDirs.forEach(killReceiverOf), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

function killReceiverOf(dataDir: string): void {
  const postmaster = postmasterPid(dataDir);
  if (postmaster === null) return;
  for (const pid of childrenOf(postmaster)) if (isReceiver(pid)) endProcess(pid);
}

function childrenOf(pid: number): number[] {
  return readOr(`/proc/${pid}/task/${pid}/children`, '')
    .split(' ')
    .filter((text) => text !== '')
    .map(Number);
}

function isReceiver(pid: number): boolean {
  return /^postgres: (.*: )?walreceiver/.test(readOr(`/proc/${pid}/cmdline`, ''));
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended meanwhile.
  }
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise;
  }
}
