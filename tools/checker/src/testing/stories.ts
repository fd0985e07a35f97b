import fc from 'fast-check';
import type { HistoryEvent, Server } from '../history';
import { rangesOf } from '../stored';

/** Nodes of the stories. All but the last one are probed past the load balancers. */
export const NODES = ['node0', 'node1', 'node2', 'node3'] as const;

export function serverOf(node: number, timeline: number): Server {
  return { address: `10.0.0.${node}:5432`, startedAt: `17000000${node}`, timeline };
}

/** What happens in a story; numbers choose among what there is. */
export type Step =
  | { readonly do: 'send'; readonly writer: number; readonly isProbe: boolean }
  | { readonly do: 'acknowledge' | 'refuse' | 'giveUp'; readonly which: number }
  | { readonly do: 'failToConnect'; readonly writer: number }
  | { readonly do: 'failover'; readonly to: number; readonly isKnownTerm: boolean; readonly timelines: number };

export interface StoryOptions {
  /** Every Master is told of in Consul's history, and timeline numbers may repeat and fall; else each is higher than the last. */
  readonly areTermsKnown: boolean;
}

interface Pending {
  readonly id: number;
  readonly isDirect: boolean;
  readonly by: Server;
}

/** Histories in which nothing is wrong, of any shape that a cluster without a fault of its own can make. */
export function fineHistory(): fc.Arbitrary<HistoryEvent[]> {
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('send'), writer: fc.nat(2), isProbe: fc.boolean() }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('acknowledge'), which: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('refuse', 'giveUp'), which: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('failToConnect'), writer: fc.nat(2) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('failover'),
        to: fc.nat(3),
        isKnownTerm: fc.boolean(),
        timelines: fc.integer({ min: 1, max: 3 }),
      }),
    },
  );
  return fc
    .record({
      steps: fc.array(step, { maxLength: 120 }),
      pauses: fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 }),
      areTermsKnown: fc.boolean(),
      ambiguousStored: fc.func(fc.boolean()),
    })
    .map(({ steps, pauses, areTermsKnown, ambiguousStored }) => {
      const story = new Story(pauses, { areTermsKnown });
      for (const step of steps) story.take(step);
      return story.end((id) => ambiguousStored(id));
    });
}

/** A cluster with one Master at a time, whose clients may be answered late but whose servers never are wrong. */
class Story {
  private readonly events: HistoryEvent[];
  private readonly pending: Pending[] = [];
  private readonly stored = new Set<number>();
  private readonly ambiguous = new Set<number>();
  private now = 1_000;
  private ticks = 0;
  private lastId = 0;
  private term = 1;
  private master = serverOf(0, 200);
  private node = 0;
  private readonly made = new Set(['0 200']);

  constructor(
    private readonly pauses: readonly number[],
    private readonly options: StoryOptions,
  ) {
    const nodes = NODES.map((name, index) => ({ name, host: `10.0.0.${index}`, port: 5432 }));
    this.events = [{ type: 'run', version: 1, at: this.now, run: 'story', startedAt: '', nodes }];
    if (this.options.areTermsKnown) this.tellPromotion();
  }

  take(step: Step): void {
    this.tick();
    switch (step.do) {
      case 'send':
        this.send(`client${step.writer}`, step.isProbe);
        break;
      case 'failToConnect':
        this.lastId += 1;
        this.fail(this.lastId, `client${step.writer}`, false);
        break;
      case 'failover':
        this.failOver(step.to, step.isKnownTerm, step.timelines);
        break;
      default:
        this.answer(step.do, step.which);
    }
  }

  end(isAmbiguousStored: (id: number) => boolean): HistoryEvent[] {
    // A story that shows nothing is no test: one write is acknowledged at least, by the last Master.
    this.tick();
    this.send('client0', false);
    this.tick();
    this.answer('acknowledge', this.pending.length - 1);
    this.tick();
    for (const { id } of this.pending) this.ambiguous.add(id);
    const found = [...this.stored, ...[...this.ambiguous].filter(isAmbiguousStored)].sort((a, b) => a - b);
    this.events.push({ type: 'ended', at: this.now });
    const ranges = rangesOf(found.map((id) => [id, 1] as const));
    this.events.push({ type: 'stored', at: this.now, by: this.master, ranges });
    return this.events;
  }

  private send(writer: string, isProbe: boolean): void {
    this.lastId += 1;
    const direct = isProbe && this.node < 3 ? (NODES[this.node] ?? null) : null;
    this.events.push({ type: 'sent', at: this.now, id: this.lastId, writer, direct });
    this.pending.push({ id: this.lastId, isDirect: direct !== null, by: this.master });
  }

  private answer(how: 'acknowledge' | 'refuse' | 'giveUp', which: number): void {
    const [write] = this.pending.splice(which % Math.max(1, this.pending.length), 1);
    if (write === undefined) return;
    if (how !== 'acknowledge') {
      this.fail(write.id, 'client', how === 'giveUp');
      return;
    }
    this.stored.add(write.id);
    this.events.push({ type: 'acknowledged', at: this.now, id: write.id, by: write.by, connectedAt: this.now });
  }

  private fail(id: number, writer: string, isAmbiguous: boolean): void {
    if (isAmbiguous) this.ambiguous.add(id);
    this.events.push({ type: 'failed', at: this.now, id, writer, direct: null, isAmbiguous, why: 'a reason' });
  }

  private failOver(to: number, isKnownTerm: boolean, timelines: number): void {
    this.term += 1;
    this.node = to;
    const timeline = this.master.timeline + timelines;
    this.master = serverOf(to, this.options.areTermsKnown ? this.unusedTimeline(to, timeline - 2) : timeline);
    this.made.add(`${to} ${this.master.timeline}`);
    if (this.options.areTermsKnown || isKnownTerm) this.tellPromotion();
  }

  /** Nobody knows of all timelines that were made: their numbers may repeat on another node, and fall. */
  private unusedTimeline(node: number, from: number): number {
    return this.made.has(`${node} ${from}`) ? this.unusedTimeline(node, from + 1) : from;
  }

  private tellPromotion(): void {
    const { timeline } = this.master;
    this.events.push({ type: 'promoted', at: this.now, term: this.term, node: NODES[this.node] ?? '', timeline });
  }

  private tick(): void {
    this.now += this.pauses[this.ticks % this.pauses.length] ?? 1;
    this.ticks += 1;
  }
}
