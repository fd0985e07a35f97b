import type { ControllerState, NodeStatus, RunnerInstruction } from '@ha-postgres/cluster-state';
import type { Published as PublishedSight } from '@ha-postgres/failover';
import { Published, isSameJson, millisToNanosText, type Millis } from '@ha-postgres/service-kit';
import type { Machine } from '../machine';

/** What one decision says to the node; the publisher adds index, boot and validity as text. */
export interface Saying extends Omit<ControllerState, 'index' | 'bootId' | 'validUntil' | 'instruction' | 'status'> {
  readonly instruction: RunnerInstruction;
  /** Worked out only if it is published. */
  readonly status: () => NodeStatus;
  readonly validUntil: Millis;
}

/** What is told at once when it changes; of a saying, what counts of the rest is told in another form. */
interface ToldAtOnce extends Omit<
  Saying,
  'term' | 'status' | 'lagBytes' | 'whyNoReads' | 'masterValue' | 'validUntil'
> {
  /** Of the `master` value. */
  readonly term: number | undefined;
  /** The bytes in the reason change with every look. */
  readonly reads: boolean;
  /** A right that grows is told at once; an ordinary answer's validity only with the next renewal. */
  readonly right: Millis | null;
}

/** Field by field: it is made at every decision, and a copy of a saying with half of it overwritten takes several times as long. */
function toldAtOnce(saying: Saying): ToldAtOnce {
  const { node, role, instruction, master, ready, readyWhy, whyNoReads = null, masterValue, validUntil } = saying;
  const right = instruction.kind === 'lead' ? validUntil : null;
  return {
    node,
    role,
    instruction,
    master,
    ready,
    readyWhy,
    term: masterValue?.term,
    reads: whyNoReads === null,
    right,
  };
}

/** Whoever reads the state sees it renewed at least so often. */
const RENEW_MS = 1000;
/** How long an answer that gives no right to write may be believed. */
export const ANSWER_VALID_MS = 3000;

const NOTHING: ControllerState = { index: 0 } as ControllerState;

/** The one state of the node that role-server, and through it the runner, is told; each change with a higher index. */
export class Publisher {
  readonly states: Published<ControllerState>;
  private said: object = {};
  private saidAt: Millis = Number.NEGATIVE_INFINITY;
  private sight: PublishedSight | null = null;

  constructor(private readonly machine: Pick<Machine, 'clock' | 'bootId'>) {
    this.states = new Published<ControllerState>(NOTHING, machine.clock);
  }

  /** What the runner is told now; null before anything was published by this process. */
  get published(): PublishedSight | null {
    return this.sight;
  }

  /** Publishes what changes the node's doings at once, and everything else once a second. */
  say(saying: Saying): void {
    const now = this.machine.clock.now();
    const told = toldAtOnce(saying);
    if (now < this.saidAt + RENEW_MS && isSameJson(told, this.said)) return;
    this.said = told;
    this.saidAt = now;
    // Microseconds of the monotonic clock: higher than what a former process of this boot has published.
    const index = Math.max(this.states.current.index + 1, Math.floor(now * 1000));
    this.remember(saying.instruction, index, now);
    this.states.publish({
      ...saying,
      status: saying.status(),
      index,
      bootId: this.machine.bootId,
      validUntil: millisToNanosText(saying.validUntil),
    });
  }

  private remember(instruction: RunnerInstruction, index: number, now: Millis): void {
    if (this.sight !== null && isSameJson(this.sight.instruction, instruction)) return;
    this.sight = { instruction, instructionIndex: index, since: now };
  }
}
