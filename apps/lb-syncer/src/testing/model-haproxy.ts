import type { Command } from '@ha-postgres/haproxy-runtime';
import type { ServerNow } from '../current-state';

interface ModelServer {
  readonly backend: string;
  readonly server: string;
  readonly hasCheck: boolean;
  address: string;
  checkAddress: string;
  isResting: boolean;
  isDraining: boolean;
  weight: number;
  isProven: boolean;
  /** Addresses that its sessions lead to. */
  sessions: string[];
}

export const NOWHERE = '127.0.0.1:1';

/** HAProxy's servers as far as lb-syncer's commands change them (FACTS measured on 2.6.12), for tests without processes. */
export class ModelHaproxy {
  readonly servers: ModelServer[];

  constructor(names: readonly string[]) {
    this.servers = names.map((name) => {
      const [backend = '', server = ''] = name.split('/');
      const hasCheck = backend !== 'replication' && server !== 'hold';
      return { backend, server, hasCheck, ...ModelHaproxy.#fresh(server) };
    });
  }

  static #fresh(server: string) {
    const nowhere = { address: NOWHERE, checkAddress: NOWHERE };
    return {
      ...nowhere,
      isResting: true,
      isDraining: false,
      isProven: true,
      weight: server === 'hold' ? 0 : 1,
      sessions: [] as string[],
    };
  }

  restart(): void {
    for (const server of this.servers) Object.assign(server, ModelHaproxy.#fresh(server.server));
  }

  /** Every server that takes connections gets one. */
  connectClients(): void {
    for (const server of this.servers) {
      if (!server.isResting && !server.isDraining && server.weight > 0) server.sessions.push(server.address);
    }
  }

  apply({ line }: Command): void {
    const [, path, verb, ...words] = /^(?:set server|shutdown sessions server) (\S+) ?(\S*) ?(.*)$/.exec(line) ?? [];
    const server = this.servers.find((one) => `${one.backend}/${one.server}` === path);
    if (server === undefined) throw new Error(`no such server: ${line}`);
    this.#change(server, line, verb ?? '', words.join(' '));
  }

  #change(server: ModelServer, line: string, verb: string, value: string): void {
    if (line.startsWith('shutdown')) server.sessions = [];
    else if (verb === 'state') this.#setState(server, value);
    else if (verb === 'addr') server.address = value.replace(' port ', ':');
    else if (verb === 'check-addr') server.checkAddress = value.replace(' port ', ':');
    else if (verb === 'weight') server.weight = Number(value);
    else if (verb === 'health') server.isProven = value === 'up';
    else throw new Error(`not modelled: ${line}`);
  }

  #setState(server: ModelServer, state: string): void {
    server.isResting = state === 'maint';
    server.isDraining = state === 'drain';
    server.isProven = true;
  }

  now(): ServerNow[] {
    return this.servers.map(
      ({ backend, server, hasCheck, address, checkAddress, isResting, isDraining, weight, sessions }) => ({
        backend,
        server,
        ...split(address),
        check: hasCheck ? split(checkAddress) : null,
        isResting,
        isDraining,
        weight,
        sessions: sessions.length,
      }),
    );
  }
}

const split = (address: string): { host: string; port: number } => {
  const colon = address.lastIndexOf(':');
  return { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) };
};
