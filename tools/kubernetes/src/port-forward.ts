import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { monotonicNow, pause } from '@ha-postgres/service-kit';
import type { Kubectl } from './kubectl';

const FIRST_PAUSE_MS = 100;
const PAUSE_MAX_MS = 2_000;

/** Opens the way from a free port of the loopback to `target` (`pod/NAME`, `service/NAME`, `deployment/NAME`). */
export async function openPortForward(kubectl: Kubectl, target: string, port: number): Promise<PortForward> {
  return new PortForward(kubectl, target, port, await freePort());
}

/**
 * `kubectl port-forward`, for ever on the same port of the loopback. It leads to one pod, also where a Service is named, and ends
 * with it, or when that pod breaks a connection: it is started again then.
 */
export class PortForward {
  private child: ChildProcess | null = null;
  private isReady = false;
  private lastWords = '';
  private broken = 0;
  private renewed = new AbortController();
  private readonly closed = new AbortController();
  private readonly running: Promise<void>;

  /** @see openPortForward */
  constructor(
    private readonly kubectl: Kubectl,
    readonly target: string,
    readonly port: number,
    readonly localPort: number,
  ) {
    this.running = this.keepOpen();
  }

  /** How often the way was there and broke. */
  get breaks(): number {
    return this.broken;
  }

  /** @throws Error with kubectl's last words if the way is not there in time. */
  async ready(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    const deadline = monotonicNow() + timeoutMs;
    while (!this.isReady) {
      signal?.throwIfAborted();
      if (monotonicNow() > deadline)
        throw new Error(`${this.kubectl.commandLine(this.args)}: not there within ${timeoutMs} ms: ${this.lastWords}`);
      await pause(50, signal);
    }
  }

  /** Another pod stands behind the name now: kubectl does not notice by itself before it is used. */
  renew(): void {
    this.renewed.abort();
    this.child?.kill();
  }

  async close(): Promise<void> {
    this.closed.abort();
    this.child?.kill();
    await this.running;
  }

  private get args(): readonly string[] {
    return ['port-forward', '--address=127.0.0.1', this.target, `${this.localPort}:${this.port}`];
  }

  private async keepOpen(): Promise<void> {
    const { signal } = this.closed;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      const wasReady = await this.openOnce();
      if (wasReady) this.broken += 1;
      pauseMs = wasReady ? FIRST_PAUSE_MS : Math.min(pauseMs * 2, PAUSE_MAX_MS);
      // One that is renewed is wanted at once: the pause is for a pod that is not there.
      await pause(pauseMs, AbortSignal.any([signal, this.renewed.signal]));
      this.renewed = new AbortController();
    }
  }

  /** True if the way was there. */
  private async openOnce(): Promise<boolean> {
    const child = this.kubectl.start(this.args);
    this.child = child;
    const ended = once(child, 'close').catch((error: unknown) => {
      this.lastWords = (error as Error).message;
    });
    createInterface(child.stdout).on('line', (line) => (this.isReady ||= line.startsWith('Forwarding from ')));
    createInterface(child.stderr).on('line', (line) => (this.lastWords = line));
    await ended;
    const wasReady = this.isReady;
    this.isReady = false;
    this.child = null;
    return wasReady;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
