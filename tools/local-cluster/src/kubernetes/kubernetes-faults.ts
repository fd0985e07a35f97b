import type { Fault, KubernetesScenario } from '../demo/scenario';

/** What a scenario needs of an installation. */
export interface Stricken {
  /** Runs kubectl. */
  readonly run: (args: readonly string[], timeoutMs?: number) => Promise<string>;
  /** The identity of the pod that bears a node's name now; null: there is none. */
  readonly uidOf: (node: string) => string | null;
}

const SWITCHOVER_MS = 120_000;
/** The runner's container knows where the data lies, and sees the postmaster under the number that stands there. */
const KILL = 'kill -KILL "$(head -n 1 "$HAPG_DATA_DIR/postmaster.pid")"';
const NOBODY_TELLS = () => null;

/** What may happen to an installation on Kubernetes. Its machines are nobody's to stop here: a node dies with its pod. */
export function kubernetesFaults({
  run,
  uidOf,
}: Stricken): Readonly<Record<Exclude<KubernetesScenario, 'none'>, Fault>> {
  const deletion = (describe: Fault['describe'], ...flags: readonly string[]): Fault => {
    let struck: string | null = null;
    return {
      describe,
      strike: async (master) => {
        struck = uidOf(master);
        await run(['delete', 'pod', master, ...flags, '--wait=false']);
      },
      // Its StatefulSet makes another.
      mend: null,
      noticedAt: NOBODY_TELLS,
      isBack: (master) => ![null, struck].includes(uidOf(master)),
    };
  };
  return {
    'kill-master': {
      describe: (master) => `SIGKILL of the postmaster of ${master}, the Master`,
      strike: async (master) => {
        await run(['exec', master, '--container=postgres', '--', 'sh', '-c', KILL]);
      },
      mend: null,
      noticedAt: NOBODY_TELLS,
    },
    'kill-node': deletion(
      (master) => `the pod of ${master}, the Master, is deleted without grace`,
      '--grace-period=0',
      '--force',
    ),
    'delete-pod': deletion((master) => `the pod of ${master}, the Master, is deleted, and may hand over first`),
    switchover: {
      describe: (master) => `hapg switchover: ${master}, the Master, is asked to hand over`,
      strike: async (master) => {
        await run(['exec', master, '--container=postgres', '--', 'hapg', 'switchover', '--yes'], SWITCHOVER_MS);
      },
      mend: null,
      noticedAt: NOBODY_TELLS,
    },
  };
}
