import { readFileSync } from 'node:fs';
import { processesIn } from '@ha-postgres/service-kit';

const EVERY_MS = 20;

/** Ends the WAL receivers of data directories (SIGTERM), wherever they run, as soon as they appear, until stopped. */
export class PodReceiverKiller {
  private readonly timer: NodeJS.Timeout;
  /** Each directory's postmaster, which starts the receivers. */
  private readonly postmasters: readonly number[];

  constructor(dataDirs: readonly string[]) {
    this.postmasters = dataDirs.flatMap((directory) => processesIn(directory).filter(isPostmaster));
    this.timer = setInterval(() => {
      for (const pid of this.postmasters.flatMap(childrenOf)) if (isReceiver(pid)) end(pid);
    }, EVERY_MS);
  }

  stop(): void {
    clearInterval(this.timer);
  }
}

/** The processes that it starts have titles of their own. */
const isPostmaster = (pid: number): boolean => !read(`/proc/${pid}/cmdline`).startsWith('postgres: ');
const isReceiver = (pid: number): boolean => /^postgres: (.*: )?walreceiver/.test(read(`/proc/${pid}/cmdline`));

const childrenOf = (pid: number): number[] =>
  read(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .flatMap((text) => (text === '' ? [] : [Number(text)]));

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended meanwhile.
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
