import type { ControllerState, NodeStatus } from '@ha-postgres/cluster-state';
import { Metrics } from '@ha-postgres/service-kit';
import { address } from '../../test/fixture/values';
import { measureNode } from './node-metrics';

const STATUS = {
  ...address('b'),
  role: 'Replica',
  runnerPhase: 'running',
  postgresAlive: true,
  streaming: true,
  takeover: { able: true, why: '' },
  rejoin: null,
} as unknown as NodeStatus;

const state = (change: Partial<ControllerState> = {}, says: Partial<NodeStatus> = {}): ControllerState => ({
  index: 7,
  bootId: 'boot',
  node: 'b',
  role: 'Replica',
  validUntil: '0',
  term: 4,
  instruction: { kind: 'follow', upstream: null },
  master: null,
  ready: true,
  readyWhy: '',
  lagBytes: 12,
  status: { ...STATUS, ...says },
  masterValue: null,
  ...change,
});

async function samples(...states: readonly ControllerState[]): Promise<Record<string, string>> {
  const metrics = new Metrics({ processMetrics: false });
  for (const one of states) measureNode(metrics, one);
  const lines = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(lines.map((line) => line.split(' ') as [string, string]));
}

test('before anything was decided there is nothing to measure', async () => {
  expect(await samples({ index: 0 } as ControllerState)).toEqual({});
});

test('a Replica that streams', async () => {
  expect(await samples(state())).toEqual({
    'hapg_node_ready{node="b"}': '1',
    'hapg_node_postgres_alive{node="b"}': '1',
    'hapg_node_streaming{node="b"}': '1',
    'hapg_node_able_to_take_over{node="b"}': '1',
    'hapg_node_blocked{node="b"}': '0',
    'hapg_node_paused{node="b"}': '0',
    'hapg_node_commits_wait{node="b"}': '0',
    'hapg_node_consul_went_back{node="b"}': '0',
    'hapg_node_role{node="b",role="Master"}': '0',
    'hapg_node_role{node="b",role="Replica"}': '1',
    'hapg_node_role{node="b",role="DeadMaster"}': '0',
    'hapg_node_term{node="b"}': '4',
    'hapg_node_lag_bytes{node="b"}': '12',
  });
});

test('a lag that is not known any more is not the last one that was', async () => {
  expect(await samples(state(), state({ lagBytes: null }))).not.toHaveProperty(['hapg_node_lag_bytes{node="b"}']);
});

test('a DeadMaster that an administrator must let rejoin is blocked', async () => {
  const dead = state({ role: 'DeadMaster', ready: false }, { role: 'DeadMaster', rejoin: 'HAPG_REJOIN_WOULD_LOSE: 2' });
  expect(await samples(state(), dead)).toMatchObject({
    'hapg_node_blocked{node="b"}': '1',
    'hapg_node_ready{node="b"}': '0',
    'hapg_node_role{node="b",role="DeadMaster"}': '1',
    'hapg_node_role{node="b",role="Replica"}': '0',
  });
});

test('what keeps a cluster from working is told: pause, commits that wait, a Consul that has forgotten', async () => {
  const sync = { waiting: true } as NonNullable<NodeStatus['sync']>;
  expect(await samples(state({}, { paused: true, consulWentBack: 'term 3 < 4', sync }))).toMatchObject({
    'hapg_node_paused{node="b"}': '1',
    'hapg_node_commits_wait{node="b"}': '1',
    'hapg_node_consul_went_back{node="b"}': '1',
  });
});
