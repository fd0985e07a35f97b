import { parseNodeStatus, type NodeStatus } from '@ha-postgres/cluster-state';
import { messageOf } from '@ha-postgres/service-kit';

/** Where a node's role-server is. `name` null: only its address was given. */
export interface Place {
  readonly name: string | null;
  readonly host: string;
  readonly apiPort: number;
}

/** What a node says of itself now, by its role-server. */
export type Answer =
  | {
      readonly kind: 'answered';
      readonly place: Place;
      readonly status: NodeStatus;
      readonly ready: boolean;
      readonly readyWhy: string;
      /** Its controller's state is within its validity: for a Master, its lease by its own clock. */
      readonly isValid: boolean;
      readonly validWhy: string;
      /** What its controller tells its runner: kind and, for a stop or a block, the reason. */
      readonly instruction: string;
      readonly instructionWhy: string | null;
    }
  | { readonly kind: 'undecided'; readonly place: Place; readonly why: string }
  | { readonly kind: 'silent'; readonly place: Place; readonly why: string };

/** Asks one node. Never throws: not to answer is an answer. */
export async function askNode(place: Place, timeoutMs: number): Promise<Answer> {
  try {
    const response = await fetch(`http://${bracketed(place.host)}:${place.apiPort}/controller/status`, {
      signal: AbortSignal.timeout(timeoutMs),
    });
    return understandNode(place, response.status, await response.text());
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? `: ${messageOf(error.cause)}` : '';
    return { kind: 'silent', place, why: `${messageOf(error)}${cause}` };
  }
}

/** Asks all of them at once. */
export function askNodes(places: readonly Place[], timeoutMs: number): Promise<readonly Answer[]> {
  return Promise.all(places.map((place) => askNode(place, timeoutMs)));
}

/** The body of `GET /controller/status`. */
export function understandNode(place: Place, httpStatus: number, text: string): Answer {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { kind: 'silent', place, why: `answered ${httpStatus} ${JSON.stringify(text.slice(0, 80))}` };
  }
  const at = (...path: readonly string[]): unknown =>
    path.reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), body);
  const parsed = parseNodeStatus(JSON.stringify(at('status') ?? null));
  if (httpStatus === 503) {
    return { kind: 'undecided', place, why: textOr(at('error', 'message'), 'its controller has decided nothing yet') };
  }
  if (!parsed.ok) return { kind: 'silent', place, why: `answered ${httpStatus}: ${parsed.why}` };
  const why = at('instruction', 'why');
  return {
    kind: 'answered',
    place: { ...place, name: parsed.value.node },
    status: parsed.value,
    ready: at('ready') === true,
    readyWhy: textOr(at('readyWhy'), ''),
    isValid: at('roleServer', 'stateValid') === true,
    validWhy: textOr(at('roleServer', 'why'), ''),
    instruction: textOr(at('instruction', 'kind'), 'unknown'),
    instructionWhy: typeof why === 'string' ? why : null,
  };
}

function textOr(value: unknown, otherwise: string): string {
  return typeof value === 'string' ? value : otherwise;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host;
}
