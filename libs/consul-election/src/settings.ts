import { readFileSync } from 'node:fs';

export interface ConsulTls {
  /** Certificate authority, PEM. */
  readonly ca?: string;
  /** Client certificate and key, PEM. */
  readonly cert?: string;
  readonly key?: string;
  readonly serverName?: string;
  /** Default true. */
  readonly verify?: boolean;
}

export interface ConsulSettings {
  /** The agent: `http://host:port`, `https://host:port`, `host:port` or `unix:///path`. */
  readonly address: string;
  readonly token?: string;
  /** Its presence makes an address without a scheme, and the servers' addresses, `https`. */
  readonly tls?: ConsulTls;
  readonly datacenter?: string;
  readonly namespace?: string;
  /** HTTP addresses of the servers, a second path beside the agent. Those of the catalog are added to them. */
  readonly serverAddresses?: readonly string[];
  /** HTTP port of the servers found in the catalog, which knows only their RPC port; a server's node meta `http_port` goes before it. Default 8500, with TLS 8501. */
  readonly serverHttpPort?: number;
  /** Time limit of every call that sets none. 7.5 s leaves room for the 7 s that servers hold a request in an election. */
  readonly requestTimeoutMs: number;
}

export const defaultRequestTimeoutMs = 7500;

type Environment = Readonly<Record<string, string | undefined>>;

const truth = (text: string): boolean => /^(1|t|true|yes|on)$/i.test(text);
const given = (text: string | undefined): string | undefined => (text === undefined || text === '' ? undefined : text);

/** An object without the members that are undefined. */
export function defined<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };
}

function fileOf(environment: Environment, name: string): string | undefined {
  const path = given(environment[name]);
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new Error(`${name}=${path} cannot be read`, { cause: error });
  }
}

function tlsOf(environment: Environment, secure: boolean): ConsulTls | undefined {
  const ca = fileOf(environment, 'CONSUL_CACERT');
  const cert = fileOf(environment, 'CONSUL_CLIENT_CERT');
  const key = fileOf(environment, 'CONSUL_CLIENT_KEY');
  const serverName = given(environment.CONSUL_TLS_SERVER_NAME);
  const verifyText = given(environment.CONSUL_HTTP_SSL_VERIFY);
  const verify = verifyText === undefined ? undefined : truth(verifyText);
  return secure ? defined({ ca, cert, key, serverName, verify }) : undefined;
}

/**
 * The settings that Consul's own tools take from the same variables: CONSUL_HTTP_ADDR, CONSUL_HTTP_TOKEN,
 * CONSUL_HTTP_TOKEN_FILE, CONSUL_HTTP_SSL, CONSUL_HTTP_SSL_VERIFY, CONSUL_CACERT, CONSUL_CLIENT_CERT, CONSUL_CLIENT_KEY,
 * CONSUL_TLS_SERVER_NAME, CONSUL_NAMESPACE; and CONSUL_DATACENTER.
 * @throws Error if a file that a variable names cannot be read; the message names both.
 */
export function consulSettingsFromEnvironment(environment: Environment): ConsulSettings {
  const address = given(environment.CONSUL_HTTP_ADDR) ?? '127.0.0.1:8500';
  const secure = truth(environment.CONSUL_HTTP_SSL ?? '') || address.startsWith('https://');
  return defined({
    address,
    token: given(environment.CONSUL_HTTP_TOKEN) ?? fileOf(environment, 'CONSUL_HTTP_TOKEN_FILE')?.trim(),
    tls: tlsOf(environment, secure),
    datacenter: given(environment.CONSUL_DATACENTER),
    namespace: given(environment.CONSUL_NAMESPACE),
    requestTimeoutMs: defaultRequestTimeoutMs,
  });
}

/** Where to connect: `baseUrl` with scheme, host and port, and the unix socket if it is one. */
export interface Endpoint {
  readonly baseUrl: string;
  readonly socketPath?: string;
}

/** @throws RangeError if the address is none; the message names it. */
export function endpointOf(address: string, secure: boolean): Endpoint {
  if (address.startsWith('unix://'))
    return { baseUrl: 'http://localhost', socketPath: address.slice('unix://'.length) };
  const text = /^https?:\/\//.test(address) ? address : `${secure ? 'https' : 'http'}://${address}`;
  if (!URL.canParse(text)) throw new RangeError(`not an address of Consul: ${JSON.stringify(address)}`);
  const url = new URL(text);
  if (url.pathname !== '/') throw new RangeError(`an address of Consul has no path: ${JSON.stringify(address)}`);
  return { baseUrl: url.origin };
}
