import type { Millis } from '@ha-postgres/service-kit';
import type { Outage } from './outages';

export type ViolationKind =
  /** Acknowledged, and not there at the end. */
  | 'lost'
  /** Sent once, and there more than once. */
  | 'duplicate'
  /** There, though PostgreSQL had refused it or nobody had sent it. */
  | 'unexpected'
  /** Acknowledged, though it was sent after another node had acknowledged one in a higher term. */
  | 'late'
  /** Two nodes or more took writes at one time. */
  | 'writersAtOnce'
  /** The table was read from a node whose time as the writer was over: the reading proves nothing. */
  | 'staleReading'
  /** The table could not be read at the end: nobody knows what is lost. */
  | 'unread'
  /** No client had a single write acknowledged: there is nothing to check. */
  | 'idle';

export interface Violation {
  readonly kind: ViolationKind;
  /** What was seen, for people. */
  readonly text: string;
  /** The writes that show it. */
  readonly ids: readonly number[];
}

/** What became of attempts. `failed` are all without an acknowledgement; `ambiguous` those of them that may have been carried out. */
export interface Counts {
  readonly attempts: number;
  readonly acknowledged: number;
  readonly failed: number;
  readonly ambiguous: number;
}

/** One node's time as a writer, as far as it was seen. */
export interface WriterSeen {
  readonly node: string;
  readonly term: number | null;
  readonly timeline: number;
  readonly acknowledged: number;
  readonly firstAcknowledgedAt: Millis;
  readonly lastAcknowledgedAt: Millis;
}

/** What a history shows. Counts are those of the clients behind load balancers; moments are milliseconds since the run began. */
export interface Verdict extends Counts {
  readonly isFine: boolean;
  readonly violations: readonly Violation[];
  /** Acknowledged writes of clients that are missing; null: the table could not be read. */
  readonly lost: readonly number[] | null;
  readonly duplicates: readonly number[];
  /** Writes acknowledged by a node, and sent after another had acknowledged one in a higher term. */
  readonly late: readonly number[];
  readonly writersAtOnceMax: number;
  /** The longest time in which a client had no acknowledgement; null: there was no client. */
  readonly writeOutageMs: number | null;
  readonly outages: readonly Outage[];
  readonly writers: readonly WriterSeen[];
  /** Writes past the load balancers: the prober's, and of other clients that were connected with a node. */
  readonly direct: Counts & { readonly lost: readonly number[] | null };
  /** Nodes that never answered the prober at all: what they acknowledged to others it cannot know. */
  readonly unseenNodes: readonly string[];
}

/** The verdict for people, a line each. */
export function describeVerdict(verdict: Verdict): string[] {
  const { direct } = verdict;
  return [
    `clients: ${describeCounts(verdict)}; longest write outage ${ms(verdict.writeOutageMs)}`,
    ...(direct.attempts === 0 ? [] : [`straight to nodes: ${describeCounts(direct)}`]),
    `acknowledged and lost: ${count(verdict.lost)}${direct.attempts === 0 ? '' : `, straight to nodes: ${count(direct.lost)}`}; ` +
      `twice: ${verdict.duplicates.length}; late: ${verdict.late.length}; writers at once: ${verdict.writersAtOnceMax}`,
    ...verdict.writers.map(
      ({ node, term, timeline, acknowledged, firstAcknowledgedAt, lastAcknowledgedAt }) =>
        `  ${node} wrote in term ${term ?? 'unknown'}, timeline ${timeline}: ${acknowledged} acknowledged, ` +
        `from ${seconds(firstAcknowledgedAt)} to ${seconds(lastAcknowledgedAt)}`,
    ),
    ...(verdict.unseenNodes.length === 0
      ? []
      : [`never reached by the prober: ${verdict.unseenNodes.join(', ')}; nothing is known of writes there`]),
    ...verdict.violations.map(({ kind, text }) => `WRONG (${kind}): ${text}`),
    verdict.isFine ? 'nothing is wrong' : `${verdict.violations.length} kind(s) of wrong`,
  ];
}

function describeCounts({ attempts, acknowledged, failed, ambiguous }: Counts): string {
  return `${attempts} attempts, ${acknowledged} acknowledged, ${failed} failed, ${ambiguous} of them ambiguous`;
}

function count(ids: readonly number[] | null): string {
  return ids === null ? 'unknown' : String(ids.length);
}

function ms(value: number | null): string {
  return value === null ? 'unknown' : `${Math.round(value)} ms`;
}

function seconds(at: Millis): string {
  return `${(at / 1_000).toFixed(3)} s`;
}
