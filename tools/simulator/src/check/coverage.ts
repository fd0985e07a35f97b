/** How often each rule decided, over many runs. */
export class Coverage {
  readonly rules = new Map<string, number>();
  readonly plans = new Map<string, number>();
  readonly faults = new Map<string, number>();
  /** What else happened, such as promotions. */
  readonly events = new Map<string, number>();

  decided(rule: string): void {
    count(this.rules, rule);
  }

  planned(rule: string): void {
    count(this.plans, rule);
  }

  fault(kind: string): void {
    count(this.faults, kind);
  }

  happened(event: string): void {
    count(this.events, event);
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
