import { revisionOf } from '../expand/revision';
import type { Deployment } from '../kubernetes';

/** A pod of the deployment as it is now. */
export interface DeploymentPod {
  readonly name: string;
  readonly revision: string;
  readonly isReady: boolean;
  readonly isEnding: boolean;
}

export type DeploymentStep = { readonly do: 'create' } | { readonly do: 'delete'; readonly name: string };

/**
 * What Kubernetes' controller of Deployments would do next: pods of the template up to the number wanted and `maxSurge` more in all; pods of
 * other templates go as far as `maxUnavailable` lets them, those that are not ready first.
 */
export function stepsOfDeployment({ spec }: Deployment, pods: readonly DeploymentPod[]): DeploymentStep[] {
  const { replicas = 1, strategy, template } = spec;
  const revision = revisionOf(template);
  const alive = pods.filter(({ isEnding }) => !isEnding);
  const fresh = alive.filter((pod) => pod.revision === revision);
  const old = alive.filter((pod) => pod.revision !== revision);
  const isRolling = strategy?.type !== 'Recreate';
  const { maxSurge = '25%', maxUnavailable = '25%' } = strategy?.rollingUpdate ?? {};
  const surge = isRolling ? share(maxSurge, replicas, Math.ceil) : 0;
  const unavailable = isRolling ? share(maxUnavailable, replicas, Math.floor) : replicas;
  if (!isRolling && old.length > 0) return old.map(({ name }) => ({ do: 'delete', name }));

  const room = Math.min(replicas - fresh.length, replicas + surge - alive.length);
  const created = Array.from({ length: Math.max(0, room) }, (): DeploymentStep => ({ do: 'create' }));
  const spare = notReadyFirst(fresh).slice(0, Math.max(0, fresh.length - replicas));
  return [...created, ...[...spare, ...leaving(old, alive, replicas - unavailable)].map(({ name }) => deleted(name))];
}

const deleted = (name: string): DeploymentStep => ({ do: 'delete', name });

/** Of the old pods: those that are not ready, and as many of the others as leave enough that are. */
function leaving(old: readonly DeploymentPod[], alive: readonly DeploymentPod[], enough: number): DeploymentPod[] {
  const spare = Math.max(0, alive.filter(({ isReady }) => isReady).length - enough);
  const ready = old.filter(({ isReady }) => isReady);
  return [...old.filter(({ isReady }) => !isReady), ...ready.slice(0, spare)];
}

const notReadyFirst = (pods: readonly DeploymentPod[]): DeploymentPod[] =>
  [...pods].sort((a, b) => Number(a.isReady) - Number(b.isReady));

function share(value: number | string, of: number, round: (share: number) => number): number {
  if (typeof value === 'number') return value;
  return value.endsWith('%') ? round((Number(value.slice(0, -1)) / 100) * of) : Number(value);
}
