import type { ControllerConfig } from '@ha-postgres/db-controller/controller';
import type { Random } from '../world/random';

export interface NodePlan {
  readonly name: string;
  /** Of its clock: the fastest and the slowest differ by what the drift margin allows, and no more. */
  readonly rate: number;
  readonly fsyncMs: number;
  readonly lateMs: number;
  /** How likely a timer is as late as that. */
  readonly lateness: number;
  readonly changes: Partial<ControllerConfig>;
}

/** What a seed draws before anything happens. */
export interface Scenario {
  readonly nodes: readonly NodePlan[];
  readonly balancers: readonly string[];
  readonly config: Partial<ControllerConfig>;
  readonly lagLimitBytes: number;
  /** A cluster that is made anew, or one that was stopped: all at once or after one another. */
  readonly beginning: 'bootstrap' | 'stopped' | 'crashed';
  /** At the end Consul's data is lost, or an old snapshot restored. */
  readonly memoryGoesBack: boolean;
  /** How long faults happen, in milliseconds. */
  readonly faultsMs: number;
  /** Milliseconds between faults, on average. */
  readonly faultEveryMs: number;
  /** Which kinds of faults this run has. */
  readonly faultKinds: readonly string[];
}

/** So long the controller waits for the runner before it kills by itself. */
const SECOND_FENCE_MS = 200;

const NODE_COUNTS = [1, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 5, 5, 7] as const;

/** Short leases make more failovers happen in the same time; the default ones are drawn as well, less often. */
const LEASES = [
  { leaseDuration: 1000, driftMargin: 100, fenceTime: 400, heartbeatInterval: 250, unansweredLimit: 150 },
  { leaseDuration: 1500, driftMargin: 150, fenceTime: 400, heartbeatInterval: 250, unansweredLimit: 150 },
  { leaseDuration: 3000, driftMargin: 300, fenceTime: 700, heartbeatInterval: 500, unansweredLimit: 300 },
] as const;

function drawReplication(random: Random, count: number): Partial<ControllerConfig> {
  const replication = random.pick(['async', 'async', 'sync', 'quorum', 'quorum'] as const);
  if (replication === 'async' || count === 1) return {};
  const synchronousReplicas = random.chance(0.8) ? 1 : Math.max(1, count - 2);
  return { replication, synchronousReplicas, dataDurability: random.pick(['strict', 'strict', 'available'] as const) };
}

/** So many runs have a fault of several acts, beside others or alone, and time for it. */
const STAGED = 0.05;
const STAGED_LEASES = 7;

/** By a chance of its own: all other runs are what they would be without. `stages`: the kinds, and where each can show anything. */
export function staged(
  scenario: Scenario,
  stages: Readonly<Record<string, (scenario: Scenario) => boolean>>,
  random: Random,
): Scenario {
  const kinds = Object.keys(stages).filter((kind) => stages[kind]?.(scenario) === true);
  if (!random.chance(STAGED) || kinds.length === 0) return scenario;
  const { faultKinds, config } = scenario;
  const beside = random.chance(0.5) ? [] : faultKinds.slice(0, 2);
  const faultsMs = STAGED_LEASES * (config.leaseDuration ?? 3000);
  return { ...scenario, faultKinds: [random.pick(kinds), ...beside], faultsMs };
}

export function drawScenario(random: Random, kinds: readonly string[]): Scenario {
  const lease = LEASES[random.pick([0, 0, 0, 1, 1, 2] as const)];
  const count = random.pick(NODE_COUNTS);
  // Few kinds, again and again, find other things than many kinds at once.
  const variety = random.pick([0.06, 0.15, 0.4]);
  const lagLimitBytes = random.pick([0, 1024, 8192, 1024 * 1024]);
  // Two clocks may differ by δ within L: the lease of the slowest must end before the wait of the fastest.
  // In a quarter of all runs clocks and timers are as bad as they may be.
  const isAdverse = random.chance(0.25);
  const spread = isAdverse || random.chance(0.5) ? lease.driftMargin / lease.leaseDuration : 0.001;
  const slowest = random.between(0.95, 1);
  const nodes = Array.from({ length: count }, (_, i): NodePlan => ({
    name: `n${i}`,
    rate:
      slowest *
      (isAdverse || random.chance(0.4) ? (random.chance(0.5) ? 1 : 1 + spread) : random.between(1, 1 + spread)),
    fsyncMs: random.magnitude(0.3, 4),
    // The second fence waits for two timers and the limit between them: together they must stay below the fence time.
    lateMs: isAdverse || random.chance(0.2) ? (lease.fenceTime - SECOND_FENCE_MS) / 2 - 10 : 0,
    lateness: isAdverse ? 0.8 : 0.2,
    changes: {
      ...(i > 0 && random.chance(0.05) ? { noFailover: true } : {}),
      ...(random.chance(0.1) ? { failoverPriority: 1 } : {}),
    },
  }));
  return {
    nodes,
    balancers: Array.from({ length: random.pick([1, 1, 1, 2, 3]) }, (_, i) => `lb${i}`),
    config: {
      ...lease,
      ...drawReplication(random, count),
      rejoin: random.pick(['safe', 'safe', 'always', 'never'] as const),
      maximumLagOnFailover: lagLimitBytes,
      coldStartWait: random.pick([1000, 3000]),
      promoteTimeout: random.pick([1000, 3000, 20_000]),
      checkInterval: random.pick([500, 1000]),
    },
    lagLimitBytes,
    beginning: random.chance(0.15) ? 'bootstrap' : random.chance(0.8) ? 'stopped' : 'crashed',
    memoryGoesBack: random.chance(0.03),
    faultsMs: random.between(1.5, 4) * lease.leaseDuration,
    faultEveryMs: random.magnitude(0.12, 1.2) * lease.leaseDuration,
    faultKinds: kinds.filter(() => random.chance(variety)),
  };
}
