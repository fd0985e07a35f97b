export type { KubernetesObject, LonePod } from './kubernetes';
export { NAMESPACE, renderRelease, type Release } from './release';
export { Objects } from './objects';
export type { HookEnd, Pod } from './run/pod';
export { PodsCluster } from './run/pods-cluster';
export { mustRun, type Outcome } from './run/program';
