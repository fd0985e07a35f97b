import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Ports that were free a moment ago on the loopback interface. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** Waits until `holds` says true, and fails with `what` after `limitMs`. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = 30_000,
): Promise<void> {
  const until = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > until) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** One real Consul server on free loopback ports, with its data in a directory of its own. */
export class ConsulServer {
  private child: ChildProcess | null = null;
  private output = '';

  private constructor(
    private readonly directory: string,
    private readonly ports: readonly number[],
    private readonly nodeMeta: readonly string[],
  ) {}

  static async start(nodeMeta: readonly string[] = []): Promise<ConsulServer> {
    const server = new ConsulServer(await mkdtemp(join(tmpdir(), 'consul-election-')), await freePorts(4), nodeMeta);
    await server.run();
    return server;
  }

  get address(): string {
    return `http://127.0.0.1:${String(this.ports[0])}`;
  }

  /** Starts it, again after {@link kill}, and waits for a leader. */
  async run(): Promise<void> {
    const [http, rpc, lan, wan] = this.ports.map(String);
    const args = ['agent', '-server', '-bootstrap-expect', '1', '-node', 'election-test', '-data-dir', this.directory];
    args.push(
      '-bind',
      '127.0.0.1',
      '-client',
      '127.0.0.1',
      '-log-level',
      'warn',
      '-dns-port',
      '-1',
      '-http-port',
      http ?? '',
    );
    args.push('-server-port', rpc ?? '', '-serf-lan-port', lan ?? '', '-serf-wan-port', wan ?? '');
    args.push('-hcl', 'performance { raft_multiplier = 1 }', ...this.nodeMeta.flatMap((meta) => ['-node-meta', meta]));
    const child = spawn('consul', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child = child;
    const collect = (text: Buffer): void => void (this.output += text.toString());
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    await eventually('Consul has a leader', () => this.hasLeader());
  }

  /** Ends it at once, as a crash does. */
  async kill(): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async end(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  private async hasLeader(): Promise<boolean> {
    if (this.child?.exitCode !== null) throw new Error(`Consul ended: ${this.output}`);
    try {
      const answer = await fetch(`${this.address}/v1/kv/probe?consistent`);
      await answer.arrayBuffer();
      const catalog = await fetch(`${this.address}/v1/catalog/service/consul`);
      return answer.status === 404 && ((await catalog.json()) as unknown[]).length > 0;
    } catch {
      return false;
    }
  }
}
