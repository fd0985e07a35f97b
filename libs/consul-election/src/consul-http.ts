import { AgentApi, type AgentSelf, type CheckStatus, type ServiceDefinition } from './agent-api';
import type { CallOptions, ConsulApi, KvListing, KvRead, ReadOptions, SessionInfo, SessionRequest } from './api';
import { systemClock, type Clock } from './clock';
import { messageOf } from './errors';
import { ConsulHttp, type HttpAnswer } from './http';
import type { Log } from './log';
import { healthOf, type ServiceRead, type WireHealth } from './service-health';
import { consulServersOf, type WireServer } from './server-addresses';
import type { ConsulSettings } from './settings';
import type { TxnOperation, TxnResult } from './transaction';
import * as wire from './wire';

export interface PutOptions extends CallOptions {
  /** Written only over this ModifyIndex; 0: only if the key does not exist. */
  readonly cas?: number;
}

/** Keys are paths: each part is escaped, the slashes between stay. */
const keyPath = (key: string): string => `/v1/kv/${key.split('/').map(encodeURIComponent).join('/')}`;

/**
 * Consul's HTTP API as the election needs it, through the local agent or, with `via`, a server.
 *
 * axios carries the whole of it but for registrations with the agent ({@link AgentApi}), and for what is sent for ever,
 * several times a second (reads, transactions, renewals), which `lean-http` carries: the npm client `consul` cannot
 * create a session without `NodeChecks`, reach a second address, or give the headers and the sending time of an answer.
 */
export class ConsulClient implements ConsulApi {
  private readonly http: ConsulHttp;
  private readonly agent: AgentApi;
  private readonly log: Log;
  private learnt: readonly string[] = [];

  constructor(
    private readonly settings: ConsulSettings,
    { log, clock = systemClock }: { readonly log: Log; readonly clock?: Clock },
  ) {
    this.log = log;
    this.http = new ConsulHttp(settings, clock);
    this.agent = new AgentApi(settings, this.http);
  }

  async kvGet(key: string, options: ReadOptions = {}): Promise<KvRead> {
    const answer = await this.read(keyPath(key), {}, options, [404]);
    const [first] = answer.status === 404 ? [] : (JSON.parse(answer.body) as wire.WireEntry[]);
    return { ...wire.readOf(answer), entry: first === undefined ? null : wire.entryOf(first) };
  }

  /** All keys that begin with `prefix`. */
  async kvList(prefix: string, options: ReadOptions = {}): Promise<KvListing> {
    const answer = await this.read(keyPath(prefix), { recurse: '' }, options, [404]);
    const entries = answer.status === 404 ? [] : (JSON.parse(answer.body) as wire.WireEntry[]);
    return { ...wire.readOf(answer), entries: entries.map(wire.entryOf) };
  }

  /** Resolves to false if `cas` did not match. @throws NoAnswerError when it may have been written. */
  async kvPut(key: string, value: string, { cas, ...options }: PutOptions = {}): Promise<boolean> {
    const answer = await this.http.request({
      ...options,
      method: 'PUT',
      path: keyPath(key),
      query: { cas },
      body: value,
    });
    return answer.body.trim() === 'true';
  }

  async kvDelete(key: string, { cas, ...options }: PutOptions = {}): Promise<boolean> {
    const answer = await this.http.request({ ...options, method: 'DELETE', path: keyPath(key), query: { cas } });
    return answer.body.trim() === 'true';
  }

  /**
   * All operations at one Raft index, or none.
   * @throws NoAnswerError when it may have been committed. @throws ConsulError when it was not.
   */
  async transaction(operations: readonly TxnOperation[], options: CallOptions = {}): Promise<TxnResult> {
    const body = wire.operationsText(operations);
    const answer = await this.http.request({
      ...options,
      method: 'PUT',
      path: '/v1/txn',
      body,
      accept: [409],
      often: true,
    });
    const { sentAt, receivedAt } = answer;
    const result = JSON.parse(answer.body) as wire.WireTxn;
    if (answer.status === 409) return { committed: false, errors: wire.errorsOf(result), sentAt, receivedAt };
    return { committed: true, entries: wire.entriesOf(result), sentAt, receivedAt };
  }

  async sessionCreate(request: SessionRequest, options: CallOptions = {}): Promise<string> {
    const body = JSON.stringify({
      Name: request.name,
      TTL: wire.durationText(request.ttlMs),
      // As text: a bare number below 1000 would be read as seconds.
      LockDelay: wire.durationText(request.lockDelayMs),
      Behavior: request.behavior,
      NodeChecks: request.nodeChecks ?? [],
    });
    const answer = await this.http.request({ ...options, method: 'PUT', path: '/v1/session/create', body });
    return (JSON.parse(answer.body) as { ID: string }).ID;
  }

  /** Says only that the session lives: answered from the leader's memory, it is no proof that a key is still held. */
  async sessionRenew(id: string, options: CallOptions = {}): Promise<'renewed' | 'gone'> {
    const path = `/v1/session/renew/${encodeURIComponent(id)}`;
    const answer = await this.http.request({ ...options, method: 'PUT', path, accept: [404], often: true });
    return answer.status === 404 ? 'gone' : 'renewed';
  }

  /** Destroying a session that does not exist succeeds. */
  async sessionDestroy(id: string, options: CallOptions = {}): Promise<void> {
    await this.http.request({ ...options, method: 'PUT', path: `/v1/session/destroy/${encodeURIComponent(id)}` });
  }

  async sessionInfo(id: string, options: ReadOptions = {}): Promise<SessionInfo | null> {
    const answer = await this.read(`/v1/session/info/${encodeURIComponent(id)}`, {}, options);
    const [first] = JSON.parse(answer.body) as wire.WireSession[];
    return first === undefined ? null : wire.sessionOf(first);
  }

  registerService(definition: ServiceDefinition, options?: CallOptions): Promise<void> {
    return this.agent.register(definition, options);
  }

  deregisterService(id: string, options?: CallOptions): Promise<void> {
    return this.agent.deregister(id, options);
  }

  updateTtlCheck(id: string, status: CheckStatus, output: string, options?: CallOptions): Promise<void> {
    return this.agent.updateTtl(id, status, output, options);
  }

  agentSelf(options?: CallOptions): Promise<AgentSelf> {
    return this.agent.self(options);
  }

  /** The service's instances with their checks; with `passing` only those whose checks all pass. */
  async serviceHealth(
    name: string,
    { passing, ...options }: ReadOptions & { readonly passing?: boolean } = {},
  ): Promise<ServiceRead> {
    const query = passing === true ? { passing: '1' } : {};
    const answer = await this.read(`/v1/health/service/${encodeURIComponent(name)}`, query, options);
    return { ...wire.readOf(answer), services: (JSON.parse(answer.body) as WireHealth[]).map(healthOf) };
  }

  paths(): readonly string[] {
    return ['agent', ...new Set([...(this.settings.serverAddresses ?? []), ...this.learnt])];
  }

  /** Asks stale, so that it is answered without a leader too. @throws like every read; what was learnt before is kept. */
  async servers(options: CallOptions = {}): Promise<readonly string[]> {
    const answer = await this.read('/v1/catalog/service/consul', {}, { ...options, consistency: 'stale' });
    const found = consulServersOf(JSON.parse(answer.body) as WireServer[], this.settings);
    if (found.join() !== this.learnt.join())
      this.log.info({ event: 'consul.servers', servers: found }, 'learnt the addresses of the Consul servers');
    this.learnt = found;
    return this.paths().slice(1);
  }

  /** Like {@link servers}, but says false instead of throwing. */
  async learnServers(options: CallOptions = {}): Promise<boolean> {
    try {
      await this.servers(options);
      return true;
    } catch (error) {
      this.log.debug(
        { event: 'consul.servers-unknown', why: messageOf(error) },
        'the Consul servers could not be asked for',
      );
      return false;
    }
  }

  /** Closes the connections; calls that run end without an answer. */
  close(): void {
    this.http.close();
  }

  private read(
    path: string,
    query: Record<string, string>,
    options: ReadOptions,
    accept: readonly number[] = [],
  ): Promise<HttpAnswer> {
    const { signal, via } = options;
    return this.http.request({
      method: 'GET',
      often: true,
      path,
      query: { ...query, ...wire.readQuery(options) },
      accept,
      timeoutMs: wire.readTimeoutMs(options, this.settings.requestTimeoutMs),
      ...(signal === undefined ? {} : { signal }),
      ...(via === undefined ? {} : { via }),
    });
  }
}
