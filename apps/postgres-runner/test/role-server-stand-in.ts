import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RoleAnswer, RunnerInstruction, RunnerReport, Role } from '@ha-postgres/cluster-state';
import { bootId, millisToNanosText, monotonicNow } from '@ha-postgres/service-kit';

interface Waiting {
  readonly index: number;
  readonly response: ServerResponse;
}

/** A role-server that says what a test tells it to, over real HTTP. */
export class RoleServerStandIn {
  readonly reports: RunnerReport[] = [];
  readonly #node: string;
  #server: Server;
  readonly #waiting = new Set<Waiting>();
  #index = 100;
  #answer: RoleAnswer | null = null;
  /** As its controller has it on disk: the term that it led last. */
  dataTerm = 0;

  constructor(node: string) {
    this.#node = node;
    this.#server = this.#create();
  }

  #create(): Server {
    return createServer((request, response) => void this.#reply(request, response));
  }

  async listen(port = 0): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    return `http://127.0.0.1:${this.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Goes away and comes back on the same port. */
  async restart(): Promise<void> {
    const { port } = this;
    await this.close();
    this.#server = this.#create();
    await this.listen(port);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get report(): RunnerReport | undefined {
    return this.reports.at(-1);
  }

  /** Whether the runner has accepted the answer of this index: it asks for what comes after it. */
  isTaken(index: number): boolean {
    return [...this.#waiting].some((waiting) => waiting.index >= index);
  }

  /** Says something new; its index. `forMs`: how long from now a Master's answer is valid. */
  say(instruction: RunnerInstruction, forMs = 60_000, more: Partial<RoleAnswer> = {}): number {
    const isLead = instruction.kind === 'lead';
    const role: Role = isLead ? 'Master' : instruction.kind === 'blocked' ? 'DeadMaster' : 'Replica';
    this.#index += 1;
    if (isLead) this.dataTerm = instruction.term;
    this.#answer = {
      index: this.#index,
      bootId: bootId(),
      node: this.#node,
      role,
      validUntil: millisToNanosText(monotonicNow() + forMs),
      term: isLead ? instruction.term : 0,
      instruction,
      master: null,
      ...more,
    };
    for (const waiting of [...this.#waiting]) this.#offer(waiting);
    return this.#index;
  }

  async #reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://stand-in');
    if (request.method === 'POST' && url.pathname === '/controller/runner') {
      let body = '';
      for await (const piece of request) body += String(piece);
      this.reports.push(JSON.parse(body) as RunnerReport);
      response.writeHead(204).end();
      return;
    }
    if (url.pathname === '/controller/status') {
      const timeline = this.report?.data.timelines?.newest ?? null;
      const status = { node: this.#node, dataTerm: this.dataTerm, timeline };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ status }));
      return;
    }
    const waiting = { index: Number(url.searchParams.get('index')), response };
    this.#waiting.add(waiting);
    response.on('close', () => this.#waiting.delete(waiting));
    this.#offer(waiting);
  }

  #offer(waiting: Waiting): void {
    if (this.#answer === null || this.#answer.index <= waiting.index) return;
    this.#waiting.delete(waiting);
    waiting.response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(this.#answer));
  }
}
