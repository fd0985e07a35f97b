import { Kubectl, type KubectlPlace } from '@ha-postgres/kubernetes';
import type { Theatre } from '../demo/theatre';
import { KubernetesCluster } from './kubernetes-cluster';
import { kubernetesFaults } from './kubernetes-faults';

/** An installation may have been made this moment; and a pod's volume may have to come from elsewhere. */
const SETTLE_MS = 300_000;
const REJOIN_MS = 300_000;

/** Opens the ways into an installation of the chart; `stop` closes them, and leaves the installation as it is. */
export async function openKubernetesTheatre(place: KubectlPlace, signal: AbortSignal): Promise<Theatre> {
  const kubectl = new Kubectl(place);
  const cluster = await KubernetesCluster.open(kubectl, signal);
  const run = (args: readonly string[], timeoutMs?: number) => kubectl.run(args, timeoutMs);
  return {
    cluster,
    faults: kubernetesFaults({ run, uidOf: (node) => cluster.pod(node)?.uid ?? null }),
    settleMs: SETTLE_MS,
    rejoinMs: REJOIN_MS,
    hint: `look: ${kubectl.commandLine(['exec', 'ha-postgres-0', '--', 'hapg', 'status'])}`,
    remarks: () =>
      cluster.breaks === 0
        ? []
        : [
            `the client's way by kubectl port-forward broke ${cluster.breaks} times, and its outage contains what that took`,
          ],
    stop: () => cluster.close(),
  };
}
