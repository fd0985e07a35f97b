import { spawn, type ChildProcess } from 'node:child_process';
import { REMOVE_NETWORK } from './network/namespaces';

/**
 * A POSIX shell that waits for the end of its input, then kills every process that works under a directory until none
 * is left, and removes the cluster's network and what is mounted below the directory. It outlives its starter, also one that
 * was killed: the kernel closes the pipe. It looks twice with nobody left, since a process may be born between two looks.
 */
const SCRIPT = `
directory=$1
network=$2
${REMOVE_NETWORK}
list() {
  if [ -d /proc/self ]; then
    find /proc/[0-9]*/cwd -maxdepth 0 \\( -lname "$directory" -o -lname "$directory/*" -o -lname "$directory (deleted)" \\) 2>/dev/null |
      cut -d/ -f3
  else
    lsof -a -d cwd -Fpn 2>/dev/null |
      awk -v d="$directory" '/^p/{p=substr($0,2)} /^n/{n=substr($0,2); if (n==d || index(n, d "/")==1) print p}'
  fi
}
mounts() {
  if [ -r /proc/mounts ]; then cut -d' ' -f2 /proc/mounts | grep -F "$directory/"; fi
}
while read -r _; do :; done
# A process that waits for a frozen file system cannot be killed.
for place in $(mounts); do fsfreeze --unfreeze "$place" 2>/dev/null; done
clear=0
while [ $clear -lt 2 ]; do
  pids=$(list)
  if [ -z "$pids" ]; then clear=$((clear + 1)); else clear=0; kill -9 $pids 2>/dev/null; fi
done
for place in $(mounts); do umount "$place" 2>/dev/null || umount -l "$place"; done
if [ -n "$network" ]; then remove_network "$network"; fi
`;

/** Keeps the promise that nothing is left behind, however the process that holds the guard ends. */
export class Guard {
  private readonly child: ChildProcess;

  /**
   * @param directory a real path (no symbolic links) without the characters that \`find\` takes for patterns.
   * @param network the id of the cluster's network namespaces, if it has some.
   */
  constructor(directory: string, network = '') {
    refusePatterns(directory);
    this.child = spawn('/bin/sh', ['-c', SCRIPT, 'hapg-guard', directory, network], {
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.child.unref();
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** Ends the watch now: what works under the directory is killed; resolves once nothing is left. */
  async release(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.ref();
    const gone = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    this.child.stdin?.end();
    await gone;
  }
}

function refusePatterns(directory: string): void {
  if (/[*?[\]\\\n]/.test(directory)) {
    throw new RangeError(`work directory ${JSON.stringify(directory)}: must not contain * ? [ ] \\ or a line break`);
  }
}
