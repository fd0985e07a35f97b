/** How often each rule decided, over many runs. */
export class Coverage {
  readonly rules = new Map<string, number>();
  readonly plans = new Map<string, number>();
  readonly faults = new Map<string, number>();
  /** Why a cluster was rightly without a Master while a fault stood. */
  readonly waits = new Map<string, number>();

  decided(rule: string): void {
    count(this.rules, rule);
  }

  planned(rule: string): void {
    count(this.plans, rule);
  }

  fault(kind: string): void {
    count(this.faults, kind);
  }

  waited(why: string): void {
    count(this.waits, why);
  }
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
