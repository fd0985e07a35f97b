import type { History, Server } from './history';

/**
 * Which node a server is. A client behind a load balancer learns only what the server says of itself; those that write to a
 * node past it know its name, and so teach what the server of that name says.
 */
export class NodeNames {
  private readonly byServer = new Map<string, string>();
  /** Null: more than one node has this address, each in its own network. */
  private readonly byAddress = new Map<string, string | null>();

  constructor(history: History) {
    for (const { name, host, port } of history.run?.nodes ?? []) this.learnAddress(`${host}:${port}`, name);
    for (const { direct, acknowledgement } of history.acknowledged) {
      if (direct === null || this.byServer.has(keyOf(acknowledgement.by))) continue;
      this.byServer.set(keyOf(acknowledgement.by), direct);
      this.learnAddress(acknowledgement.by.address ?? '', direct);
    }
  }

  nameOf(server: Server): string {
    return this.byServer.get(keyOf(server)) ?? this.byAddress.get(server.address ?? '') ?? keyOf(server);
  }

  private learnAddress(address: string, name: string): void {
    const known = this.byAddress.get(address);
    this.byAddress.set(address, known === undefined || known === name ? name : null);
  }
}

function keyOf({ address, startedAt }: Server): string {
  return `${address ?? 'unix socket'} (started ${startedAt})`;
}
