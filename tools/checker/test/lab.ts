import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLoad, type Load, type LoadOptions, type Verdict, type ViolationKind } from '../src';
import { PASSWORD, PlainPostgres } from './plain-postgres';
import { Switch } from './switch';

/** Servers, a stand-in for a load balancer and a load on them, all ended by `end`. */
export class Lab {
  readonly directory = mkdtempSync(join(tmpdir(), 'checker-lab-'));
  readonly historyFile = join(this.directory, 'history.jsonl');
  private readonly servers: PlainPostgres[] = [];
  private balancer: Switch | null = null;
  private load: Load | null = null;

  async primary(...settings: readonly string[]): Promise<PlainPostgres> {
    const server = await PlainPostgres.primary(...settings);
    this.servers.push(server);
    return server;
  }

  async standbyOf(primary: PlainPostgres): Promise<PlainPostgres> {
    const server = await primary.standby();
    this.servers.push(server);
    return server;
  }

  /** Clients write to the first server, and all are probed: node0, node1, … */
  async startLoad(options: Partial<LoadOptions> = {}): Promise<Load> {
    const masters = [{ host: '127.0.0.1', port: await this.balancerPort() }];
    const who = { user: 'postgres', password: PASSWORD, database: 'postgres', consul: null };
    const nodes = this.servers.map(({ port }, index) => ({ name: `node${index}`, host: '127.0.0.1', port }));
    this.load = await startLoad({ masters, nodes, ...who, historyFile: this.historyFile, ...options });
    return this.load;
  }

  /** Where a load balancer would listen. */
  async balancerPort(): Promise<number> {
    this.balancer ??= await Switch.to(this.servers[0]?.port ?? 0);
    return this.balancer.port;
  }

  /** The load balancer leads to another server from now on. */
  leadTo({ port }: PlainPostgres): void {
    this.balancer?.turn(port);
  }

  async end(): Promise<void> {
    await this.load?.stop();
    this.balancer?.close();
    for (const server of this.servers) await server.destroy();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export function kindsOf({ violations }: Verdict): ViolationKind[] {
  return violations.map(({ kind }) => kind);
}

/** How many writes a node has acknowledged to the prober. */
export function probesOn({ history }: Load, node: string): number {
  return history.acknowledged.filter(({ direct }) => direct === node).length;
}
