import { once } from 'node:events';
import {
  createServer,
  request as send,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Passing {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

/** Held requests go on when `before` resolves; their answers are given when `after` resolves, or never, where it is `'lost'`. */
export interface Treatment {
  readonly before?: Promise<unknown>;
  readonly after?: Promise<unknown> | 'lost';
}

const without = (headers: IncomingHttpHeaders, ...names: string[]): IncomingHttpHeaders =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)));

async function textOf(stream: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

/** Stands between a client and Consul. A request that its client gave up goes on to Consul all the same, as in a network. */
export class SlowProxy {
  private readonly server: Server;
  treat: (passing: Passing) => Treatment = () => ({});
  /** Requests that Consul has answered, in order, with its status. */
  readonly answered: (Passing & { readonly status: number })[] = [];

  private constructor(private readonly target: string) {
    this.server = createServer((incoming, outgoing) => {
      this.pass(incoming, outgoing).catch(() => outgoing.destroy());
    });
  }

  static async start(target: string): Promise<SlowProxy> {
    const proxy = new SlowProxy(target);
    proxy.server.listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get address(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async end(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    outgoing.on('error', () => undefined);
    const passing = { method: incoming.method ?? 'GET', path: incoming.url ?? '/', body: await textOf(incoming) };
    const { before, after } = this.treat(passing);
    await before;
    const answer = await this.forward(passing, incoming);
    const text = await textOf(answer);
    const status = answer.statusCode ?? 500;
    this.answered.push({ ...passing, status });
    if (after === 'lost') return;
    await after;
    const headers = without(answer.headers, 'content-length', 'transfer-encoding');
    outgoing.writeHead(status, headers);
    outgoing.end(text);
  }

  private forward({ method, path, body }: Passing, { headers }: IncomingMessage): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const rest = without(headers, 'host', 'connection', 'accept-encoding');
      const out = send(
        new URL(path, this.target),
        { method, headers: { ...rest, 'content-length': Buffer.byteLength(body) } },
        resolve,
      );
      out.on('error', reject);
      out.end(body);
    });
  }
}

/** A promise that the test resolves. */
export function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

const verbsOf = ({ path, body }: Passing): readonly string[] =>
  path.startsWith('/v1/txn')
    ? (JSON.parse(body) as { KV: { Verb: string } }[]).map((operation) => operation.KV.Verb)
    : [];

export const isAcquire = (passing: Passing): boolean => verbsOf(passing).includes('lock') && !isBeat(passing);
export const isBeat = (passing: Passing): boolean =>
  verbsOf(passing)[0] === 'check-session' && verbsOf(passing)[1] === 'lock';
export const isRelease = (passing: Passing): boolean => verbsOf(passing).includes('unlock');
