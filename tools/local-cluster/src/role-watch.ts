import { setTimeout as delay } from 'node:timers/promises';
import { parseRole, type Role } from '@ha-postgres/cluster-state';

/** Longest time an unchanged answer is waited for, and how much longer a silent role-server is given, in milliseconds. */
const WAIT_MS = 2_000;
const SILENCE_MS = 1_000;
const RETRY_MS = 200;

/** Follows the role that a node's role-server answers; null while it answers none. */
export class RoleWatch {
  private readonly url: string;
  private readonly onChange: () => void;
  private readonly stopped = new AbortController();
  private index: number | null = null;
  private current: Role | null = null;

  constructor(roleServerUrl: string, onChange: () => void) {
    this.url = `${roleServerUrl}/controller/role`;
    this.onChange = onChange;
  }

  get role(): Role | null {
    return this.current;
  }

  start(): void {
    void this.follow(this.stopped.signal);
  }

  stop(): void {
    this.stopped.abort();
  }

  private async follow(signal: AbortSignal): Promise<void> {
    for (;;) {
      const answer = await this.ask(signal);
      if (this.stopped.signal.aborted) return;
      this.index = answer?.index ?? null;
      this.take(answer?.role ?? null);
      if (answer === null) await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private take(role: Role | null): void {
    if (role === this.current) return;
    this.current = role;
    this.onChange();
  }

  private async ask(signal: AbortSignal): Promise<{ role: Role; index: number } | null> {
    const query = this.index === null ? '' : `?index=${this.index}&wait=${WAIT_MS}ms`;
    try {
      const response = await fetch(this.url + query, {
        headers: { accept: 'application/json' },
        signal: AbortSignal.any([signal, AbortSignal.timeout(WAIT_MS + SILENCE_MS)]),
      });
      return response.status === 200 ? readAnswer(await response.json()) : await discard(response);
    } catch {
      return null;
    }
  }
}

/** Reads the body to its end, so that the connection can be used again. */
async function discard(response: Response): Promise<null> {
  await response.arrayBuffer();
  return null;
}

function readAnswer(body: unknown): { role: Role; index: number } | null {
  const { role, index } = body as { role?: unknown; index?: unknown };
  if (typeof role !== 'string' || typeof index !== 'number') return null;
  const parsed = parseRole(role);
  return parsed.ok ? { role: parsed.value, index } : null;
}
