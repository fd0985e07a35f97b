/** What the simulator runs of this app. No other app imports it. */
export { NOTHING_TOLD, type ClusterView, type Instance } from './cluster-view';
export { readMaster } from './consul-facts';
export { planBackends, type BackendNames, type Desired } from './plan-backends';
