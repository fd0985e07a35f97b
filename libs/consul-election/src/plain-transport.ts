import { request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Clock } from './clock';
import { messageOf } from './errors';
import { Unanswered, limit, type Agents, type Incoming, type Outgoing, type Transport } from './transport';

/**
 * What is asked again and again, for ever: blocking queries, beats, renewals. Node's own client, since with axios each
 * took 1.84 ms of the processor against 0.79 ms, at ten a second in a warm process (docs/adr/0005).
 */
export function plainTransport(agents: Agents, clock: Clock): Transport {
  const send = (outgoing: Outgoing): Promise<Incoming> =>
    new Promise((resolve, reject) => {
      const until = clock.now() + outgoing.timeoutMs;
      const asked = open(outgoing, agents);
      let why = '';
      const end = limit(clock, outgoing, (reason) => {
        why = reason;
        asked.destroy();
      });
      const fail = (error: unknown): void => {
        end();
        // A kept connection that Consul closed while we wrote. Only what reads may be asked twice.
        if (why === '' && outgoing.method === 'GET' && asked.reusedSocket && isReset(error))
          resolve(send({ ...outgoing, timeoutMs: until - clock.now() }));
        else reject(new Unanswered(why === '' ? messageOf(error) : why, { cause: error }));
      };
      asked.on('error', fail);
      asked.on('response', (response) =>
        read(response, fail, (incoming) => {
          end();
          resolve(incoming);
        }),
      );
      asked.end(outgoing.body);
    });
  return send;
}

function open({ method, baseUrl, socketPath, path, headers, body }: Outgoing, agents: Agents): ClientRequest {
  const isHttps = baseUrl.startsWith('https:');
  const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) };
  const options = { method, path, headers: { ...headers, ...length } };
  const { host, port } = hostOf(baseUrl);
  const where = socketPath === undefined ? { host, port } : { socketPath };
  return isHttps
    ? requestHttps({ ...options, ...where, agent: agents.https })
    : requestHttp({ ...options, ...where, agent: agents.http });
}

function read(response: IncomingMessage, fail: (error: unknown) => void, done: (incoming: Incoming) => void): void {
  const parts: Buffer[] = [];
  response.on('data', (part: Buffer) => parts.push(part));
  response.on('error', fail);
  response.on('end', () => {
    const body = (parts.length === 1 ? parts[0] : Buffer.concat(parts))?.toString('utf8') ?? '';
    const header = (name: string): string | undefined => {
      const value = response.headers[name];
      return typeof value === 'string' ? value : undefined;
    };
    done({ status: response.statusCode ?? 0, body, header });
  });
}

interface Host {
  readonly host: string;
  readonly port: number;
}

/** Addresses are few and do not change; taking one apart costs as much as half a request. */
const hosts = new Map<string, Host>();

function hostOf(baseUrl: string): Host {
  const known = hosts.get(baseUrl);
  if (known !== undefined) return known;
  const url = new URL(baseUrl);
  const usual = url.protocol === 'https:' ? 443 : 80;
  const host = { host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port === '' ? usual : Number(url.port) };
  hosts.set(baseUrl, host);
  return host;
}

function isReset(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ECONNRESET';
}
