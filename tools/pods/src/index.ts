export type { KubernetesObject, LonePod } from './kubernetes';
export { NAMESPACE, renderRelease, type Release } from './release';
export { Objects } from './objects';
export type { HookEnd, Pod } from './run/pod';
export { PodsCluster } from './run/pods-cluster';
export { mustRun, runProgram, type Outcome } from './run/program';
export { helmFor, kind } from './kubectl/helm';
export { KubectlDoor } from './kubectl/kubectl-door';
