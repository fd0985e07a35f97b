import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/** Ports that were free a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/** Asks until the answer is as wanted; fails with the last answer or error after `limitMs`. */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  isWanted: (answer: T) => boolean = Boolean,
  limitMs = 20_000,
): Promise<T> {
  const end = performance.now() + limitMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (isWanted(answer)) return answer;
      last = answer;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`not within ${limitMs} ms: ${what}; last: ${describe(last)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const describe = (value: unknown): string => (value instanceof Error ? value.message : JSON.stringify(value));

/** A real server as a child process; its output is kept for when it fails. */
export class Server {
  #child: ChildProcess | null = null;
  #output = '';

  constructor(
    private readonly command: string,
    private readonly args: readonly string[],
    private readonly options: { readonly env?: NodeJS.ProcessEnv } = {},
  ) {}

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`${this.command} does not run: ${this.#output.slice(-2000)}`);
    return pid;
  }

  get output(): string {
    return this.#output;
  }

  start(): void {
    const child = spawn(this.command, this.args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Debian keeps haproxy where only root looks.
      env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin`, ...this.options.env },
    });
    child.on('error', (error) => (this.#output += String(error)));
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes: Buffer) => (this.#output = `${this.#output}${bytes.toString()}`.slice(-200_000)));
    }
    this.#child = child;
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Ends it, and resolves with its exit code when it has ended; null if it was killed. */
  async end(signal: NodeJS.Signals = 'SIGKILL'): Promise<number | null> {
    const child = this.#child;
    if (child?.pid === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill(signal);
      // A stopped process takes no other signal but SIGKILL.
      child.kill('SIGCONT');
      await ended;
    }
    this.#child = null;
    return child.exitCode;
  }
}
