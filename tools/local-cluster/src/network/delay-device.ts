import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { onPath, WORKSPACE_ROOT } from '../workspace';
import type { SlowWays } from './delay-queue';
import { inNamespace, ip } from './ip';
import { DELAY_TABLE } from './links';
import { hubNamespace, type NetworkPlace } from './place';

const DEVICE = 'delay';
/** Packets that the kernel keeps until the process takes them. */
const QUEUE_LENGTH = 10_000;

/**
 * Opens a TUN device and becomes the program that is named after it, with the device's descriptor as its last argument. Node
 * cannot do the one call (`ioctl TUNSETIFF`) by itself; Perl can, and belongs to every Debian and Ubuntu. `$^F`: the descriptor stays open.
 */
const OPEN_DEVICE = `
$^F = 255;
open(my $device, '+<', '/dev/net/tun') or die "/dev/net/tun: $!\\n";
my ($tun, $bare) = (0x0001, 0x1000);
ioctl($device, 0x400454ca, pack('a16 S x22', '${DEVICE}', $tun | $bare)) or die "ioctl TUNSETIFF: $!\\n";
exec(@ARGV, fileno($device)) or die "$ARGV[0]: $!\\n";
`;

/** The device of the hub to which packets are routed that are to be held up; it lives while something is slow. */
export class DelayDevice {
  private child: ChildProcess | null = null;

  /**
   * @param cwd where its process works, by which the cluster's guard finds it.
   * @param onLost called when the process has ended by itself: nothing is held up any more.
   */
  constructor(
    private readonly place: NetworkPlace,
    private readonly cwd: string,
    private readonly onLost: (why: string) => void,
  ) {}

  /** Holds up packets of these ways from now on. @throws Error if the device cannot be made. */
  async hold(ways: SlowWays): Promise<void> {
    this.child ??= await this.open();
    this.child.stdin?.write(`${JSON.stringify(ways)}\n`);
  }

  /** Packets that wait are lost, as when a line breaks. */
  async close(): Promise<void> {
    const child = this.child;
    this.child = null;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  private async open(): Promise<ChildProcess> {
    const hub = hubNamespace(this.place);
    const script = join(WORKSPACE_ROOT, 'tools', 'local-cluster', 'dist', 'delay-line.js');
    const [command, args] = inNamespace(hub, onPath('perl'), ['-e', OPEN_DEVICE, process.execPath, script]);
    const child = spawn(command, args, { cwd: this.cwd, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    child.stdin.on('error', () => undefined);
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (complaint += chunk));
    const ended = once(child, 'exit').then(() => {
      throw new Error(`packets cannot be held up: ${complaint.trim()}`);
    });
    await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended]);
    ended.catch((error: unknown) => {
      if (this.child !== child) return;
      this.child = null;
      this.onLost((error as Error).message);
    });
    await ip(
      ['-n', hub],
      [
        `link set dev ${DEVICE} up txqueuelen ${QUEUE_LENGTH}`,
        `route replace default dev ${DEVICE} table ${DELAY_TABLE}`,
      ],
    );
    return child;
  }
}
