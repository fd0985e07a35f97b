import { Agent } from 'node:http';
import axios, { type AxiosInstance } from 'axios';
import {
  parseFailsafeAnswer,
  parseNodeStatus,
  parseVoteAnswer,
  parseWalTailAnswer,
  type FailsafeAnswer,
  type FailsafeRequest,
  type NodeAddress,
  type NodeStatus,
  type Parsed,
  type VoteAnswer,
  type VoteRequest,
  type WalTailAnswer,
  type WalTailRequest,
} from '@ha-postgres/cluster-state';
import { messageOf, signRequest, verifyAnswer, type HeaderValues, type Log } from '@ha-postgres/service-kit';

/** Asks other nodes through their role-servers; questions and answers are signed with the cluster's secret. */
export class Peers {
  private readonly http: AxiosInstance = axios.create({
    httpAgent: new Agent({ keepAlive: true, maxSockets: 16 }),
    proxy: false,
    responseType: 'text',
    transformResponse: (body: unknown) => body,
    validateStatus: () => true,
    maxContentLength: 1024 * 1024,
  });

  constructor(
    private readonly secret: string,
    private readonly log: Log,
  ) {}

  /** The member's answer, or null if none that is signed and readable came within `limitMs`. */
  async vote(member: NodeAddress, request: VoteRequest, limitMs: number): Promise<VoteAnswer | null> {
    const answer = await this.ask(member, '/controller/vote', request, limitMs, parseVoteAnswer);
    return answer?.term === request.term && answer.node === member.node ? answer : null;
  }

  async failsafe(member: NodeAddress, request: FailsafeRequest, limitMs: number): Promise<FailsafeAnswer | null> {
    const answer = await this.ask(member, '/controller/failsafe', request, limitMs, parseFailsafeAnswer);
    return answer?.term === request.term && answer.node === member.node ? answer : null;
  }

  async walTail(member: NodeAddress, request: WalTailRequest, limitMs: number): Promise<WalTailAnswer | null> {
    const answer = await this.ask(member, '/controller/wal-tail', request, limitMs, parseWalTailAnswer);
    return answer?.term === request.term && answer.node === member.node ? answer : null;
  }

  /** Whether the member's role-server answers at all. */
  async isLive(member: NodeAddress, limitMs: number): Promise<boolean> {
    try {
      const { status } = await this.http.get(urlOf(member, '/liveness'), { signal: AbortSignal.timeout(limitMs) });
      return status === 200;
    } catch {
      return false;
    }
  }

  /** What the node at that address says of itself, or null. Not signed: it is for comparing names, and gives no right. */
  async statusOf(
    { host, apiPort }: Pick<NodeAddress, 'host' | 'apiPort'>,
    limitMs: number,
  ): Promise<NodeStatus | null> {
    try {
      const signal = AbortSignal.timeout(limitMs);
      const { data } = await this.http.get<string>(urlOf({ host, apiPort }, '/controller/status'), { signal });
      const body = JSON.parse(data) as { readonly status?: unknown } | null;
      const parsed = parseNodeStatus(JSON.stringify(body?.status ?? null));
      return parsed.ok ? parsed.value : null;
    } catch {
      return null;
    }
  }

  private async ask<T>(
    member: NodeAddress,
    path: string,
    request: object,
    limitMs: number,
    parse: (text: string) => Parsed<T>,
  ): Promise<T | null> {
    const body = JSON.stringify(request);
    const { nonce, headers } = signRequest(this.secret, { method: 'POST', path, body });
    try {
      const response = await this.http.post<string>(urlOf(member, path), body, {
        headers: { ...headers, 'content-type': 'application/json' },
        // Counted from when it was sent, the connection included.
        signal: AbortSignal.timeout(limitMs),
      });
      const isGenuine = verifyAnswer(this.secret, nonce, response.headers as HeaderValues, response.data);
      if (response.status !== 200 || !isGenuine)
        throw new Error(`status ${response.status}${isGenuine ? '' : ', not signed for this question'}`);
      const parsed = parse(response.data);
      if (!parsed.ok) throw new Error(parsed.why);
      return parsed.value;
    } catch (error) {
      this.log.debug(
        { event: 'peer.no-answer', peer: member.node, path, why: messageOf(error) },
        'a member gave no usable answer',
      );
      return null;
    }
  }
}

function urlOf(member: Pick<NodeAddress, 'host' | 'apiPort'>, path: string): string {
  const host = member.host.includes(':') ? `[${member.host}]` : member.host;
  return `http://${host}:${member.apiPort}${path}`;
}
