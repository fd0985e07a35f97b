import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import axios, { isAxiosError, type AxiosInstance, type AxiosResponse } from 'axios';
import type { CallOptions } from './api';
import type { Clock, Millis } from './clock';
import { ConsulError, NoAnswerError, messageOf } from './errors';
import { endpointOf, type ConsulSettings } from './settings';

export interface HttpRequest extends CallOptions {
  readonly method: 'GET' | 'PUT' | 'DELETE';
  /** With the leading `/v1`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: string;
  /** Statuses below 500, other than 2xx, that the caller reads by itself. */
  readonly accept?: readonly number[];
}

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  readonly header: (name: string) => string | undefined;
  readonly sentAt: Millis;
  readonly receivedAt: Millis;
}

const headerOf = (response: AxiosResponse<string>) => (name: string) => {
  const value: unknown = response.headers[name];
  return typeof value === 'string' ? value : undefined;
};

/** One signal for the caller's and the time limit's, cleaned up by `end` (AbortSignal.any would keep listeners on a long-lived signal). */
function limit(clock: Clock, timeoutMs: number, signal: AbortSignal | undefined) {
  const controller = new AbortController();
  let why = `nothing within ${timeoutMs} ms`;
  const onAbort = (): void => {
    why = 'aborted by the caller';
    controller.abort();
  };
  const timer = clock.schedule(timeoutMs, () => controller.abort());
  signal?.addEventListener('abort', onAbort);
  if (signal?.aborted === true) onAbort();
  return {
    signal: controller.signal,
    why: () => why,
    end: (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', onAbort);
    },
  };
}

/** The one HTTP path of the library: says when a request was sent, ends it in time, and tells an unknown outcome from a refusal. */
export class ConsulHttp {
  private readonly axios: AxiosInstance;
  private readonly secure: boolean;
  readonly agents: { readonly http: HttpAgent; readonly https: HttpsAgent };

  constructor(
    private readonly settings: ConsulSettings,
    private readonly clock: Clock,
  ) {
    const { tls, token, namespace } = settings;
    this.secure = tls !== undefined || settings.address.startsWith('https://');
    // No limit on sockets: a beat must never queue behind blocking queries.
    this.agents = {
      http: new HttpAgent({ keepAlive: true }),
      https: new HttpsAgent({
        keepAlive: true,
        ...(tls?.ca === undefined ? {} : { ca: tls.ca }),
        ...(tls?.cert === undefined ? {} : { cert: tls.cert }),
        ...(tls?.key === undefined ? {} : { key: tls.key }),
        ...(tls?.serverName === undefined ? {} : { servername: tls.serverName }),
        rejectUnauthorized: tls?.verify ?? true,
      }),
    };
    this.axios = axios.create({
      httpAgent: this.agents.http,
      httpsAgent: this.agents.https,
      proxy: false,
      maxRedirects: 0,
      responseType: 'text',
      transformRequest: [(body: unknown) => body],
      transformResponse: [(body: unknown) => body],
      validateStatus: () => true,
      // The agent is next door: unpacking costs more than the bytes that packing saves.
      decompress: false,
      headers: {
        'Accept-Encoding': 'identity',
        'Content-Type': 'application/json',
        ...(token === undefined ? {} : { 'X-Consul-Token': token }),
        ...(namespace === undefined ? {} : { 'X-Consul-Namespace': namespace }),
      },
    });
  }

  /**
   * @throws NoAnswerError when no answer came, or a write was answered with a 5xx.
   * @throws ConsulError for every other status that is neither 2xx nor accepted.
   */
  async request(request: HttpRequest): Promise<HttpAnswer> {
    const what = `${request.method} ${request.path}${request.via === undefined || request.via === 'agent' ? '' : ` via ${request.via}`}`;
    const bound = limit(this.clock, request.timeoutMs ?? this.settings.requestTimeoutMs, request.signal);
    const sentAt = this.clock.now();
    try {
      const response = await this.send(request, bound.signal);
      return this.judge(request, what, response, sentAt);
    } catch (error) {
      if (!isAxiosError(error)) throw error;
      throw new NoAnswerError(what, bound.signal.aborted ? bound.why() : messageOf(error), { cause: error });
    } finally {
      bound.end();
    }
  }

  private send(request: HttpRequest, signal: AbortSignal): Promise<AxiosResponse<string>> {
    const via = request.via === undefined || request.via === 'agent' ? this.settings.address : request.via;
    const { baseUrl, socketPath } = endpointOf(via, this.secure);
    return this.axios.request<string>({
      method: request.method,
      baseURL: baseUrl,
      url: request.path,
      params: { dc: this.settings.datacenter, ...request.query },
      data: request.body,
      signal,
      ...(socketPath === undefined ? {} : { socketPath }),
    });
  }

  private judge(request: HttpRequest, what: string, response: AxiosResponse<string>, sentAt: Millis): HttpAnswer {
    const { status } = response;
    const body = typeof response.data === 'string' ? response.data : '';
    if ((status >= 200 && status < 300) || request.accept?.includes(status) === true)
      return { status, body, header: headerOf(response), sentAt, receivedAt: this.clock.now() };
    const refusal = new ConsulError(what, status, body);
    if (status >= 500 && request.method !== 'GET') throw new NoAnswerError(what, refusal.message, { cause: refusal });
    throw refusal;
  }

  /** Closes idle connections. */
  close(): void {
    this.agents.http.destroy();
    this.agents.https.destroy();
  }
}
