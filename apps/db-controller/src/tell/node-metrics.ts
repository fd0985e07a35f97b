import { ROLES, waitsForPerson, type ControllerState } from '@ha-postgres/cluster-state';
import type { Metrics } from '@ha-postgres/service-kit';

/** What of a node's state is a number: 1 for yes, 0 for no. */
const FLAGS = {
  hapg_node_ready: ['Clients may be sent here, as its role', ({ ready }) => ready],
  hapg_node_postgres_alive: ['PostgreSQL answers', ({ status }) => status.postgresAlive],
  hapg_node_streaming: ['It receives WAL from the Master', ({ status }) => status.streaming],
  hapg_node_able_to_take_over: ['It could be Master if there were none', ({ status }) => status.takeover.able],
  hapg_node_blocked: [
    'Its PostgreSQL is kept stopped until a person does something about it',
    ({ status, instruction }) => waitsForPerson(status, instruction.kind),
  ],
  hapg_node_paused: ['It has seen that the cluster is paused', ({ status }) => status.paused === true],
  hapg_node_commits_wait: [
    'As Master under synchronous rules: commits wait for Replicas that do not stream',
    ({ status }) => status.sync?.waiting === true,
  ],
  hapg_node_consul_went_back: [
    'It takes what Consul says for less than it has seen before',
    ({ status }) => (status.consulWentBack ?? null) !== null,
  ],
} as const satisfies Record<string, readonly [string, (state: ControllerState) => boolean]>;

/** Sets the metrics of a node to what was published last; before that there are none. */
export function measureNode(metrics: Metrics, state: ControllerState): void {
  if (state.index === 0) return;
  const { node, role, term, lagBytes } = state;
  for (const [name, [help, look]] of Object.entries(FLAGS))
    metrics.gauge(name, help, ['node']).set({ node }, look(state) ? 1 : 0);
  const roles = metrics.gauge('hapg_node_role', '1 for the role that it has, 0 for the others', ['node', 'role']);
  for (const one of ROLES) roles.set({ node, role: one }, one === role ? 1 : 0);
  metrics.gauge('hapg_node_term', 'Term of the Master that it knows', ['node']).set({ node }, term);
  const lag = metrics.gauge('hapg_node_lag_bytes', 'WAL of the Master that it has not replayed, as far as known', [
    'node',
  ]);
  if (lagBytes === null) lag.remove({ node });
  else lag.set({ node }, lagBytes);
}
