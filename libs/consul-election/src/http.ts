import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import type { CallOptions } from './api';
import { axiosTransport } from './axios-transport';
import type { Clock, Millis } from './clock';
import { ConsulError, NoAnswerError } from './errors';
import { LeanTransport } from './lean-transport';
import { endpointOf, type ConsulSettings, type ConsulTls, type Endpoint } from './settings';
import { Unanswered, type Agents, type Incoming, type Outgoing, type Transport } from './transport';

export interface HttpRequest extends CallOptions {
  readonly method: Outgoing['method'];
  /** With the leading `/v1`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: string;
  /** Statuses below 500, other than 2xx, that the caller reads by itself. */
  readonly accept?: readonly number[];
  /** It is one of those that are sent for ever, several a second. */
  readonly often?: boolean;
}

export interface HttpAnswer extends Incoming {
  readonly sentAt: Millis;
  readonly receivedAt: Millis;
}

/** The one HTTP path of the library: says when a request was sent, ends it in time, and tells an unknown outcome from a refusal. */
export class ConsulHttp {
  readonly agents: Agents;
  private readonly secure: boolean;
  private readonly headers: Readonly<Record<string, string>>;
  private readonly endpoints = new Map<string, Endpoint>();
  private readonly seldom: Transport;
  private readonly often: LeanTransport;

  constructor(
    private readonly settings: ConsulSettings,
    private readonly clock: Clock,
  ) {
    const { tls, token, namespace } = settings;
    this.secure = tls !== undefined || settings.address.startsWith('https://');
    // No limit on sockets: a beat must never queue behind blocking queries.
    this.agents = {
      http: new HttpAgent({ keepAlive: true }),
      https: new HttpsAgent({ keepAlive: true, ...connectionTls(tls) }),
    };
    this.headers = {
      'Content-Type': 'application/json',
      ...(token === undefined ? {} : { 'X-Consul-Token': token }),
      ...(namespace === undefined ? {} : { 'X-Consul-Namespace': namespace }),
    };
    this.seldom = axiosTransport(this.agents, clock);
    this.often = new LeanTransport(clock, connectionTls(tls));
  }

  /**
   * @throws NoAnswerError when no answer came, or a write was answered with a 5xx.
   * @throws ConsulError for every other status that is neither 2xx nor accepted.
   */
  async request(request: HttpRequest): Promise<HttpAnswer> {
    const { method, path, via = 'agent' } = request;
    const what = `${method} ${path}${via === 'agent' ? '' : ` via ${via}`}`;
    const outgoing = this.outgoing(request);
    const sentAt = this.clock.now();
    try {
      const incoming = await (request.often === true ? this.often.send(outgoing) : this.seldom(outgoing));
      return this.judge(request, what, incoming, sentAt);
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      throw new NoAnswerError(what, error.message, { cause: error.cause });
    }
  }

  private outgoing({ method, path, query = {}, body, timeoutMs, signal, via = 'agent' }: HttpRequest): Outgoing {
    return {
      ...this.endpoint(via === 'agent' ? this.settings.address : via),
      method,
      path: path + queryText({ dc: this.settings.datacenter, ...query }),
      headers: this.headers,
      body,
      timeoutMs: timeoutMs ?? this.settings.requestTimeoutMs,
      signal,
    };
  }

  private endpoint(address: string): Endpoint {
    const known = this.endpoints.get(address) ?? endpointOf(address, this.secure);
    this.endpoints.set(address, known);
    return known;
  }

  private judge(request: HttpRequest, what: string, incoming: Incoming, sentAt: Millis): HttpAnswer {
    const { status, body } = incoming;
    if ((status >= 200 && status < 300) || request.accept?.includes(status) === true)
      return { ...incoming, sentAt, receivedAt: this.clock.now() };
    const refusal = new ConsulError(what, status, body);
    if (status >= 500 && request.method !== 'GET') throw new NoAnswerError(what, refusal.message, { cause: refusal });
    throw refusal;
  }

  /** Closes the connections; what is sent for ever ends with them. */
  close(): void {
    this.often.close();
    this.agents.http.destroy();
    this.agents.https.destroy();
  }
}

/** As Node's own TLS takes them. */
function connectionTls(tls: ConsulTls = {}): ConnectionOptions {
  const { ca, cert, key, serverName, verify = true } = tls;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(serverName === undefined ? {} : { servername: serverName }),
    rejectUnauthorized: verify,
  };
}

function queryText(query: Readonly<Record<string, string | number | undefined>>): string {
  const parts = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  );
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}
