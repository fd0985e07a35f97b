import { EventEmitter } from 'node:events';
import { isNativeError } from 'node:util/types';
import Consul from 'consul';
import type { CallOptions } from './api';
import { ConsulError, NoAnswerError, messageOf } from './errors';
import type { ConsulHttp } from './http';
import { endpointOf, type ConsulSettings } from './settings';

export interface TtlCheck {
  readonly id: string;
  readonly name: string;
  /** Critical when not updated for so long. */
  readonly ttlMs: number;
  /** State at registration; default critical. A check that is registered already keeps its state. */
  readonly status?: CheckStatus;
  readonly notes?: string;
}

export type CheckStatus = 'passing' | 'warning' | 'critical';

export interface ServiceDefinition {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly tags?: readonly string[];
  readonly meta?: Readonly<Record<string, string>>;
  readonly checks?: readonly TtlCheck[];
}

export interface AgentSelf {
  readonly nodeName: string;
  readonly datacenter: string;
  readonly version: string;
  readonly server: boolean;
}

const DEFAULT_TIMEOUT_MS = 2000;

function consulFor(settings: ConsulSettings, http: ConsulHttp): Consul {
  const secure = settings.tls !== undefined || settings.address.startsWith('https://');
  const { baseUrl, socketPath } = endpointOf(settings.address, secure);
  const url = new URL(baseUrl);
  const isHttps = url.protocol === 'https:';
  const options = {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port === '' ? (isHttps ? 443 : 80) : url.port),
    secure: isHttps,
    agent: isHttps ? http.agents.https : http.agents.http,
    ...(settings.token === undefined ? {} : { defaults: { token: settings.token } }),
    // Taken by the client's HTTP layer (papi), though its types do not say so.
    ...(socketPath === undefined ? {} : { socketPath }),
    ...(settings.namespace === undefined ? {} : { headers: { 'x-consul-namespace': settings.namespace } }),
  };
  return new Consul(options);
}

interface ResponseError extends Error {
  readonly response?: { readonly statusCode: number; readonly body?: unknown };
}

/**
 * What one asks of the local agent alone: registering a service with its checks, and who the agent is. The npm client
 * `consul` knows these forms; nothing of the lease depends on it.
 */
export class AgentApi {
  private readonly consul: Consul;

  constructor(settings: ConsulSettings, http: ConsulHttp) {
    this.consul = consulFor(settings, http);
  }

  async register(definition: ServiceDefinition, options: CallOptions = {}): Promise<void> {
    const { id, name, address, port } = definition;
    await this.call('agent/service/register', options, (more) =>
      this.consul.agent.service.register({
        id,
        name,
        address,
        port,
        tags: [...(definition.tags ?? [])],
        meta: { ...definition.meta },
        // `timeout` is required by the client's types only; Consul ignores it for a TTL check.
        checks: (definition.checks ?? []).map((check) => ({
          checkid: check.id,
          name: check.name,
          ttl: `${check.ttlMs}ms`,
          timeout: '',
          status: check.status ?? 'critical',
          notes: check.notes ?? '',
        })),
        ...more,
      }),
    );
  }

  /** Deregistering a service that the agent does not know does nothing. */
  async deregister(id: string, options: CallOptions = {}): Promise<void> {
    try {
      await this.call('agent/service/deregister', options, (more) =>
        this.consul.agent.service.deregister({ id, ...more }),
      );
    } catch (error) {
      // 1.8 answers 500, later versions 404, both with these words.
      if (!/unknown service/i.test(messageOf(error))) throw error;
    }
  }

  async updateTtl(id: string, status: CheckStatus, output: string, options: CallOptions = {}): Promise<void> {
    const verb = { passing: 'pass', warning: 'warn', critical: 'fail' } as const;
    await this.call(`agent/check/${verb[status]}/${id}`, options, (more) =>
      this.consul.agent.check[verb[status]]({ id, note: output, ...more }),
    );
  }

  async self(options: CallOptions = {}): Promise<AgentSelf> {
    const answer: unknown = await this.call('agent/self', options, (more) => this.consul.agent.self(more));
    const { Config } = answer as { Config: { NodeName: string; Datacenter: string; Version: string; Server: boolean } };
    return { nodeName: Config.NodeName, datacenter: Config.Datacenter, version: Config.Version, server: Config.Server };
  }

  /** The client takes its time limit as `timeout` and an abort as an event on `ctx`; its types know neither. */
  private async call<T>(
    what: string,
    { signal, timeoutMs }: CallOptions,
    run: (more: object) => Promise<T>,
  ): Promise<T> {
    const ctx = new EventEmitter();
    const cancel = (): void => void ctx.emit('cancel');
    if (signal?.aborted === true) throw new NoAnswerError(what, 'aborted by the caller');
    signal?.addEventListener('abort', cancel);
    try {
      const answer = await run({ ctx, timeout: timeoutMs ?? DEFAULT_TIMEOUT_MS });
      // The client tells errors by `instanceof`, and resolves with one that is of another realm (a vm context, jest).
      if (isNativeError(answer)) throw answer;
      return answer;
    } catch (error) {
      const { response } = error as ResponseError;
      if (response === undefined) throw new NoAnswerError(what, messageOf(error), { cause: error });
      throw new ConsulError(
        what,
        response.statusCode,
        typeof response.body === 'string' ? response.body : messageOf(error),
      );
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }
}
