import { revisionOf } from '../expand/revision';
import type { StatefulSet } from '../kubernetes';

/** A pod of the set as it is now. */
export interface SetPod {
  readonly ordinal: number;
  readonly revision: string;
  readonly isReady: boolean;
  readonly isEnding: boolean;
}

export interface SetStep {
  readonly do: 'create' | 'delete';
  readonly ordinal: number;
}

/**
 * What Kubernetes' controller of StatefulSets would do next. With `OrderedReady` one thing at a time, each pod after those below it are
 * ready; with `Parallel` all that are missing, and all that are too many, at once. A rolling update replaces one pod at a time in both cases,
 * from the highest number down to the partition, and waits for each.
 */
export function stepsOfSet(set: StatefulSet, pods: readonly SetPod[]): SetStep[] {
  const { replicas = 1, podManagementPolicy = 'OrderedReady' } = set.spec;
  const isParallel = podManagementPolicy === 'Parallel';
  const wanted = Array.from({ length: replicas }, (_, ordinal) => ordinal);
  const podOf = (ordinal: number): SetPod | undefined => pods.find((pod) => pod.ordinal === ordinal);

  const missing: SetStep[] = [];
  for (const ordinal of wanted) {
    const pod = podOf(ordinal);
    if (pod === undefined) missing.push({ do: 'create', ordinal });
    // The next waits for this one.
    if (!isParallel && !isServing(pod)) return missing;
  }
  const spare = pods.filter(({ ordinal }) => ordinal >= replicas).sort((a, b) => b.ordinal - a.ordinal);
  const ending = spare.filter(({ isEnding }) => !isEnding);
  const removed = ending.map(({ ordinal }): SetStep => ({ do: 'delete', ordinal }));
  if (isParallel && missing.length + removed.length > 0) return [...missing, ...removed];
  if (!isParallel && spare.length > 0) return spare.length === ending.length ? removed.slice(0, 1) : [];
  return updateStep(set, wanted.map(podOf));
}

function updateStep({ spec }: StatefulSet, pods: readonly (SetPod | undefined)[]): SetStep[] {
  const { updateStrategy, template } = spec;
  if (updateStrategy?.type === 'OnDelete') return [];
  const revision = revisionOf(template);
  const partition = updateStrategy?.rollingUpdate?.partition ?? 0;
  for (const pod of pods.slice(partition).reverse()) {
    if (pod === undefined) return [];
    if (pod.revision !== revision && !pod.isEnding) return [{ do: 'delete', ordinal: pod.ordinal }];
    if (!isServing(pod)) return [];
  }
  return [];
}

const isServing = (pod: SetPod | undefined): boolean => pod !== undefined && pod.isReady && !pod.isEnding;
