import type { Faults } from './scenario';
import type { ShownCluster } from './shown-cluster';

/** A cluster that runs, and what may happen to it there. */
export interface Theatre {
  readonly cluster: ShownCluster;
  readonly faults: Faults;
  /** How long it may take until it has settled at the beginning, in milliseconds. */
  readonly settleMs: number;
  /** How long the old Master's node may take until it streams again, in milliseconds. */
  readonly rejoinMs: number;
  /** What else can be done with it while it is shown. */
  readonly hint: string;
  /** What must be known of the figures that were measured there; asked at the end. */
  readonly remarks: () => readonly string[];
  /** Ends what was begun for the demo. */
  readonly stop: () => Promise<void>;
}
