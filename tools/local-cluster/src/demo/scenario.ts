import type { Target } from '../target';

/** What can be shown on this machine, and what on Kubernetes. */
export const LOCAL_SCENARIOS = ['none', 'kill-master', 'kill-node', 'freeze-node'] as const;
export const KUBERNETES_SCENARIOS = ['none', 'kill-master', 'kill-node', 'delete-pod', 'switchover'] as const;
export type LocalScenario = (typeof LOCAL_SCENARIOS)[number];
export type KubernetesScenario = (typeof KUBERNETES_SCENARIOS)[number];
export type Scenario = LocalScenario | KubernetesScenario;

/** How long a killed or frozen node stays so, in milliseconds. */
export const DOWN_MS = 15_000;

/** What a scenario needs of a cluster; `LocalCluster` has it. */
export interface Faulty {
  kill(target: Target, keepDown?: boolean): Promise<void>;
  freeze(target: Target): Promise<void>;
  thaw(target: Target): Promise<void>;
  startAgain(target: Target): void;
}

export interface Fault {
  readonly describe: (master: string) => string;
  /** Does it to the Master's node. */
  readonly strike: (master: string) => Promise<void>;
  /** Undoes it; null where there is nothing to undo. */
  readonly mend: {
    readonly text: string;
    readonly carryOut: (master: string) => Promise<void>;
  } | null;
  /** When it was first noticed after a moment, both as wall clock in milliseconds; null: nobody tells. */
  readonly noticedAt: (master: string, struckAt: number) => number | null;
  /** Whether who answers as this node now is the one after the fault; absent: it always is. */
  readonly isBack?: (master: string) => boolean;
}

export type Faults = Partial<Readonly<Record<Exclude<Scenario, 'none'>, Fault>>>;
