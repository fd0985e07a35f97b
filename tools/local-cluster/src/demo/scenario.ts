import type { Target } from '../target';

export const SCENARIOS = ['none', 'kill-master', 'kill-node', 'freeze-node'] as const;
export type Scenario = (typeof SCENARIOS)[number];

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
  readonly strike: (cluster: Faulty, master: string) => Promise<void>;
  /** Undoes it; null where there is nothing to undo. */
  readonly mend: {
    readonly text: string;
    readonly carryOut: (cluster: Faulty, master: string) => Promise<void>;
  } | null;
}

export const FAULTS: Readonly<Record<Exclude<Scenario, 'none'>, Fault>> = {
  'kill-master': {
    describe: (master) => `SIGKILL of the postmaster of ${master}, the Master`,
    strike: (cluster, member) => cluster.kill({ member, process: 'postgres' }),
    mend: null,
  },
  'kill-node': {
    describe: (master) => `SIGKILL of every process of ${master}, the Master's node`,
    strike: (cluster, member) => cluster.kill({ member }),
    mend: {
      text: 'is started again',
      carryOut: (cluster, member) => {
        cluster.startAgain({ member });
        return Promise.resolve();
      },
    },
  },
  'freeze-node': {
    describe: (master) => `SIGSTOP of every process of ${master}, the Master's node`,
    strike: (cluster, member) => cluster.freeze({ member }),
    mend: { text: 'goes on (SIGCONT)', carryOut: (cluster, member) => cluster.thaw({ member }) },
  },
};
