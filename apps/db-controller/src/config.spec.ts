import { parseDuration, readConfiguration } from '@ha-postgres/service-kit';
import { configOf } from '../test/fixture/world';
import { leaseTimesOf, options, policyOf, rules } from './config';

const problemsOf = (...flags: string[]) => rules(configOf('/run/ha-postgres', ...flags));

describe('the options of db-controller', () => {
  it('are right by default, and are those of the design', () => {
    const config = configOf('/run/ha-postgres');
    expect(rules(config)).toEqual([]);
    expect(leaseTimesOf(config)).toEqual({
      leaseDurationMs: 3000,
      driftMarginMs: 300,
      fenceTimeMs: 700,
      heartbeatIntervalMs: 500,
    });
    expect(policyOf(config)).toMatchObject({
      unansweredLimitMs: 300,
      promoteTimeoutMs: parseDuration('20s'),
      coldStartWaitMs: parseDuration('30s'),
      maximumLagOnFailoverBytes: 1024 * 1024,
      secondFenceMs: 200,
      sync: { mode: 'async', k: 1, durability: 'strict' },
      tags: { noFailover: false, noLoadBalance: false, failoverPriority: 0 },
    });
  });

  it.each([
    [['--node=master'], /"master" is the name of a fixed key/],
    [['--node=-x'], /"-x"/],
    [['--fence-time=300ms'], /fenceTime 300 ms is too short/],
    [['--heartbeat-interval=2s'], /heartbeatIntervalMs 2000/],
    [['--drift-margin=10ms'], /driftMarginMs 10/],
    [['--unanswered-limit=2200ms'], /unansweredLimit 2200 ms.*failsafe would come too late/],
    [['--state-dir=/data/pg/state', '--data-dir=/data/pg'], /stateDir \/data\/pg\/state must lie outside dataDir/],
    [['--state-dir=/data/pg', '--data-dir=/data/pg/'], /must lie outside/],
    [['--state-dir=/data/pg/../pg/x', '--data-dir=/data/pg'], /must lie outside/],
    [['--synchronous-replicas=2'], /synchronousReplicas 2 asks for confirmed commits, but replication is async/],
    [
      ['--replication-via=lb', '--replication-address=lb:5434', '--replication=quorum'],
      /replicationVia lb and replication quorum contradict each other: every commit would wait for the load balancer/,
    ],
    [
      ['--replication-via=lb', '--replication-address=lb:5434', '--replication=sync'],
      /replicationVia lb and replication sync contradict each other/,
    ],
    [['--replication-via=lb'], /replicationVia lb needs replicationAddress/],
    [['--replication-via=lb', '--replication-address=lb:70000'], /replicationAddress lb:70000/],
    [['--data-durability=available'], /dataDurability available .* but replication is async/],
  ])('%j are refused with the values and the reason', (flags, problem) => {
    expect(problemsOf(...flags)).toEqual([expect.stringMatching(problem)]);
  });

  it.each([
    [['--state-dir=/data/state', '--data-dir=/data/pg']],
    [['--state-dir=/data', '--data-dir=/data/pg']],
    [['--state-dir=/data/pg-state', '--data-dir=/data/pg']],
    [['--unanswered-limit=2100ms']],
    [['--replication=quorum', '--synchronous-replicas=2', '--data-durability=available']],
    [['--replication=quorum', '--replication-address=lb:5434']],
    [['--replication-via=lb', '--replication-address=lb:5434']],
  ])('%j are taken', (flags) => {
    expect(problemsOf(...flags)).toEqual([]);
  });

  it('that are wrong are all told at once', () => {
    expect(problemsOf('--node=lb', '--fence-time=300ms', '--heartbeat-interval=2s')).toHaveLength(3);
  });

  it('name the load balancers that Replicas stream through in their order, and none unless they do', () => {
    const doorsOf = (...flags: string[]) => policyOf(configOf('/run/ha-postgres', ...flags)).replicationDoors;
    const address = '--replication-address=lb0.local:5434,[fd00::7]:15434';
    expect(doorsOf('--replication-via=lb', address)).toEqual([
      { host: 'lb0.local', port: 5434 },
      { host: 'fd00::7', port: 15434 },
    ]);
    expect(doorsOf(address)).toEqual([]);
  });

  it('that must be given are each named', () => {
    const read = () => readConfiguration(options, { arguments: [], environment: {} });
    for (const name of ['node', 'host', 'socket', 'stateDir', 'dataDir', 'clusterSecret', 'controllerPassword'])
      expect(read).toThrow(new RegExp(`^${name}: required`, 'm'));
  });
});
