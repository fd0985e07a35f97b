import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Upstream } from '@ha-postgres/cluster-state';
import { HttpConnections } from '@ha-postgres/lean-http';
import { judgeTerm, type SaidOfData } from '../core/upstream-term';

/** A copy may have taken hours: an upstream whose controller has just been restarted is waited for. Before it there is nothing to lose. */
const LIMIT_MS = 60_000;
const ANSWER_LIMIT_MS = 2_000;
const ASK_AGAIN_MS = 200;
const BODY_BYTES_MAX = 1_000_000;

/**
 * Returns when the upstream's own controller has said that its data is of the term that this node was told.
 * @param copied number of the timeline that a copy of it began on; null: none has begun.
 * @throws Error if its data is of a later term, or that is not shown: at once before a copy, within a minute after it; the signal's reason.
 */
export async function confirmTerm(upstream: Upstream, copied: number | null, signal: AbortSignal): Promise<void> {
  const { host, apiPort: port } = upstream;
  const connections = new HttpConnections({ host, port }, { bodyBytesMax: BODY_BYTES_MAX });
  const limit = AbortSignal.timeout(LIMIT_MS);
  try {
    for (;;) {
      const verdict = judgeTerm(upstream, await ask(connections, AbortSignal.any([signal, limit])), copied);
      signal.throwIfAborted();
      if (verdict.kind === 'this') return;
      if (verdict.kind === 'another' || copied === null || limit.aborted) throw new Error(verdict.why);
      await delay(ASK_AGAIN_MS, undefined, { signal });
    }
  } finally {
    connections.close();
  }
}

/** Null: no answer that can be read. */
async function ask(connections: HttpConnections, signal: AbortSignal): Promise<SaidOfData | null> {
  const { answer, cut } = connections.send({
    method: 'GET',
    path: '/controller/status',
    headers: { Accept: 'application/json' },
  });
  const either = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_LIMIT_MS)]);
  const end = () => cut(new Error('no answer in time'));
  either.addEventListener('abort', end, { once: true });
  if (either.aborted) end();
  try {
    const { status, body } = await answer;
    return status === 200 ? readStatus(body) : null;
  } catch {
    return null;
  } finally {
    either.removeEventListener('abort', end);
  }
}

/** Of `GET /controller/status`, what is asked for here; null: it is not there. */
export function readStatus(body: string): SaidOfData | null {
  try {
    const { status } = JSON.parse(body) as { readonly status?: Partial<SaidOfData> };
    const { node, dataTerm, timeline = null } = status ?? {};
    if (typeof node !== 'string' || typeof dataTerm !== 'number') return null;
    return timeline === null || typeof timeline === 'number' ? { node, dataTerm, timeline } : null;
  } catch {
    return null;
  }
}

/**
 * Number of the timeline that a base backup began on, by its `backup_label`.
 * @throws the file system's error, or RangeError if the label does not tell.
 */
export function timelineOfBackup(directory: string): number {
  const label = readFileSync(join(directory, 'backup_label'), 'utf8');
  const [, timeline] = /^START TIMELINE: (\d+)$/m.exec(label) ?? [];
  if (timeline === undefined) throw new RangeError('the backup does not tell on which timeline it began');
  return Number(timeline);
}
