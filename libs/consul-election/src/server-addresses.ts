import type { ConsulSettings } from './settings';

export interface WireServer {
  readonly Address: string;
  readonly NodeMeta: Readonly<Record<string, string>> | null;
}

/** The servers' HTTP addresses, of what the catalog knows of them. Its `ServicePort` is the port of their RPC, not of HTTP. */
export function consulServersOf(servers: readonly WireServer[], settings: ConsulSettings): readonly string[] {
  const secure = settings.tls !== undefined || settings.address.startsWith('https://');
  const usual = settings.serverHttpPort ?? (secure ? 8501 : 8500);
  return servers
    .filter((server) => server.Address !== '')
    .map(({ Address, NodeMeta }) => {
      const host = Address.includes(':') ? `[${Address}]` : Address;
      return `${secure ? 'https' : 'http'}://${host}:${NodeMeta?.http_port ?? usual}`;
    })
    .sort();
}
