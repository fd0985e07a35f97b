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

/** Of a saying; what counts of these is told in another form. To leave fields out by name is far slower than to overwrite them. */
const NOT_TOLD_AT_ONCE = {
  status: undefined,
  lagBytes: undefined,
  whyNoReads: undefined,
  masterValue: undefined,
  validUntil: undefined,
};

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
    const { whyNoReads, masterValue, validUntil } = saying;
    // A right that grows is told at once; an ordinary answer's validity only with the next renewal.
    const told = {
      ...saying,
      ...NOT_TOLD_AT_ONCE,
      term: masterValue?.term,
      // The bytes in the reason change with every look.
      reads: (whyNoReads ?? null) === null,
      right: saying.instruction.kind === 'lead' ? validUntil : null,
    };
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
      validUntil: millisToNanosText(validUntil),
    });
  }

  private remember(instruction: RunnerInstruction, index: number, now: Millis): void {
    if (this.sight !== null && isSameJson(this.sight.instruction, instruction)) return;
    this.sight = { instruction, instructionIndex: index, since: now };
  }
}
