import fc from 'fast-check';
import { leaseTimesProblems } from '@ha-postgres/consul-election';
import { refusal, type Values } from './testing/render';
import { VALUE_SETS } from './testing/value-sets';

const controller = (options: object, more: object = {}): Values => ({ db: { controller: { options }, ...more } });
const users = (names: object): Values => ({ db: { postgres: { users: names } } });

test.each<[string, Values, string]>([
  ['more nodes than places', { db: { clusterSize: 11 } }, 'db.clusterSize 11 is more than lb.maxNumberOfStandbys 10'],
  ['a node that there cannot be', { db: { nodes: { '10': {} } } }, 'db.nodes names node 10'],
  [
    'more confirmations than Replicas',
    controller({ replication: 'quorum', synchronousReplicas: 3 }),
    'every commit would wait for ever',
  ],
  ['confirmations of a single node', controller({ replication: 'sync' }, { clusterSize: 1 }), 'has 0 Replicas only'],
  ['confirmations where nobody confirms', controller({ synchronousReplicas: 2 }), 'replication is async'],
  ['durability of what is not confirmed', controller({ dataDurability: 'available' }), 'dataDurability available'],
  [
    'synchronous commits through the load balancers',
    controller({ replication: 'quorum', replicationVia: 'lb' }),
    'replicationVia lb and replication quorum contradict each other',
  ],
  ['a fence without time', controller({ fenceTime: '300ms' }), 'fenceTime 300 ms is too short'],
  ['a lease that one lost beat ends', controller({ leaseDuration: '1500ms' }), 'one lost beat would end the lease'],
  ['failsafe too late', controller({ unansweredLimit: '2.2s' }), 'failsafe would come too late'],
  ['a drift that is no limit', controller({ driftMargin: '10ms' }), 'at least a hundredth'],
  ['a hand-over that is cut off', { db: { terminationGracePeriodSeconds: 30 } }, 'would kill a Master that hands over'],
  [
    'clients that wait longer than they may',
    { lb: { syncer: { options: { holdTimeout: '20s' } } } },
    'lb.haproxy.timeouts.queue 15s must be longer',
  ],
  ['two ports that are one', { lb: { standbyDbPort: 5432 } }, '5432 is the port of lb.masterDbPort already'],
  ['the admin port given away', { lb: { haproxy: { statsPort: 9998 } } }, 'HAProxy’s admin port'.replace('’', "'")],
  ['two accounts of one name', users({ su: { name: 'controller' } }), 'must have different names'],
  ['TLS without a certificate', { db: { postgres: { tls: { required: true } } } }, 'nobody could come in'],
  ['an even number of Consul servers', { consul: { server: { clusterSize: 4 } } }, 'is even'],
  ['an external Consul nowhere', { consul: { external: { enabled: true } } }, 'the agents would join nobody'],
  ['an external Consul that is not used', { consul: { external: { tokenSecret: 't' } } }, 'enabled is false'],
  ['half a seed', { db: { seedDb: { host: 'h', name: 'n' } } }, 'db.seedDb.host needs db.seedDb.user'],
  ['a seed without a host', { db: { seedDb: { name: 'n' } } }, 'names a database but no host'],
  [
    'two passwords of a seed',
    { db: { seedDb: { host: 'h', name: 'n', user: 'u', password: 'p', existingSecret: 's' } } },
    'which of them counts?',
  ],
  [
    'ranges of a load balancer that is none',
    { lb: { service: { loadBalancerSourceRanges: ['::/0'] } } },
    'clientsFrom',
  ],
])('refused with a sentence: %s', (_name, values, sentence) => {
  expect(refusal(values)).toContain(sentence);
});

test('everything that is wrong is said at once', () => {
  const why = refusal({ consul: { server: { clusterSize: 2 } }, lb: { masterDbPort: 8080 }, db: { clusterSize: 99 } });
  expect(why?.match(/ - /g)).toHaveLength(3);
});

test.each(Object.entries(VALUE_SETS))('taken: %s', (_name, values) => {
  expect(refusal(values)).toBeNull();
});

test('times of the lease are refused exactly when the controller refuses them', () => {
  const ms = (least: number, most: number) => fc.integer({ min: least, max: most });
  const times = fc.record({
    heartbeatIntervalMs: ms(50, 2000),
    leaseDurationMs: ms(500, 9000),
    driftMarginMs: ms(10, 100),
    fenceTimeMs: ms(400, 3000),
  });
  let refused = 0;
  fc.assert(
    fc.property(times, (given) => {
      const {
        heartbeatIntervalMs: heartbeat,
        leaseDurationMs: lease,
        driftMarginMs: drift,
        fenceTimeMs: fence,
      } = given;
      // So small that failsafe is in nobody's way.
      fc.pre(lease >= fence + 250);
      const problems = leaseTimesProblems(given);
      const why = refusal(
        controller({
          heartbeatInterval: `${heartbeat}ms`,
          leaseDuration: `${lease}ms`,
          driftMargin: `${drift}ms`,
          fenceTime: `${fence}ms`,
          unansweredLimit: '50ms',
        }),
      );
      refused += problems.length > 0 ? 1 : 0;
      expect(why === null ? 0 : why.match(/ - /g)?.length).toBe(problems.length);
    }),
    { numRuns: 30 },
  );
  expect(refused).toBeGreaterThan(0);
});
