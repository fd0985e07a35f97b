import { decode, encode } from 'dns-packet';
import { service, specOf } from '../testing-objects';
import { zoneOf } from './dns-zone';
import { answerTo } from './dns-message';
import { endpointsOf, type PodSeen } from './endpoints';
import { serviceRules } from './service-rules';

const seen = (name: string, ip: string, over: Partial<PodSeen> = {}): PodSeen => ({
  name,
  ip,
  labels: { app: 'web' },
  hostname: name,
  subdomain: 'all',
  spec: specOf({ containers: [{ name: 'main', image: 'i', ports: [{ name: 'sql', containerPort: 5432 }] }] }),
  isServing: true,
  ...over,
});
const PODS = [seen('web-0', '10.0.0.5'), seen('web-1', '10.0.0.6', { isServing: false }), seen('web-2', '10.0.0.7')];
const front = service('front', { ports: [{ port: 80, targetPort: 'sql' }, { port: 81 }] });
const all = service('all', { clusterIP: 'None', publishNotReadyAddresses: true });
const some = service('some', { clusterIP: 'None' });
const ADDRESSES = new Map([['front', '10.97.0.10']]);

test('a service leads to the pods that it selects and that are ready, or to all if it says so', () => {
  expect(endpointsOf(front, PODS).map(({ name }) => name)).toEqual(['web-0', 'web-2']);
  expect(endpointsOf(all, PODS)).toHaveLength(3);
  expect(endpointsOf(service('x', { selector: { app: 'other' } }), PODS)).toEqual([]);
  expect(endpointsOf(front, [seen('web-0', '10.0.0.5', { labels: {} })])).toEqual([]);
});

test('names lead to addresses: of services, and of pods below headless ones', () => {
  const zone = zoneOf('db', [front, all, some], PODS, ADDRESSES);
  expect(Object.fromEntries(zone)).toEqual({
    'front.db.svc.cluster.local': ['10.97.0.10'],
    'all.db.svc.cluster.local': ['10.0.0.5', '10.0.0.6', '10.0.0.7'],
    'web-0.all.db.svc.cluster.local': ['10.0.0.5'],
    'web-1.all.db.svc.cluster.local': ['10.0.0.6'],
    'web-2.all.db.svc.cluster.local': ['10.0.0.7'],
    'some.db.svc.cluster.local': ['10.0.0.5', '10.0.0.7'],
  });
});

describe('rules', () => {
  const rules = (pods: readonly PodSeen[]) =>
    serviceRules({ namespace: 'db', services: [front, all], pods, addresses: ADDRESSES, subnet: '10.0.0.0/24' }).split(
      '\n',
    );

  test('each ready pod gets the same share of new connections, at the port that it gives the name', () => {
    expect(rules(PODS)).toEqual(
      expect.arrayContaining([
        '-A HAPG-PODS-db -d 10.97.0.10/32 -p tcp --dport 80 -m statistic --mode random --probability 0.50000000 -j DNAT --to-destination 10.0.0.5:5432',
        '-A HAPG-PODS-db -d 10.97.0.10/32 -p tcp --dport 80 -j DNAT --to-destination 10.0.0.7:5432',
        '-A HAPG-PODS-db -d 10.97.0.10/32 -p tcp --dport 81 -j DNAT --to-destination 10.0.0.7:81',
      ]),
    );
    expect(rules(PODS).filter((line) => line.includes('REJECT'))).toEqual([]);
  });

  test('a service without ready pods refuses', () => {
    expect(rules([]).filter((line) => line.startsWith('-A HAPG-PODS-db '))).toEqual([
      '-A HAPG-PODS-db -d 10.97.0.10/32 -p tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable',
      '-A HAPG-PODS-db -d 10.97.0.10/32 -p tcp --dport 81 -j REJECT --reject-with icmp-port-unreachable',
    ]);
  });
});

test('what is no question is not answered', () => {
  expect(answerTo(Buffer.alloc(3), new Map())).toBeNull();
  const response = Buffer.alloc(20);
  response.writeUInt16BE(0x8000, 2);
  response.writeUInt16BE(1, 4);
  expect(answerTo(response, new Map())).toBeNull();
  const endless = Buffer.alloc(20, 60);
  endless.writeUInt16BE(0, 2);
  endless.writeUInt16BE(1, 4);
  expect(answerTo(endless, new Map())).toBeNull();
  const pointingToItself = Buffer.from('000100000001000000000000c00c00010001', 'hex');
  expect(answerTo(pointingToItself, new Map())).toBeNull();
  const update = encode({ type: 'query', id: 1, flags: 5 << 11, questions: [{ type: 'A', name: 'x' }] });
  expect(answerTo(update, new Map())).toBeNull();
});

test('a question of a kind that is not known here finds the name, and no address', () => {
  const question = encode({ type: 'query', id: 7, questions: [{ type: 'HTTPS' as 'A', name: 'web' }] });
  const answer = decode(answerTo(question, new Map([['web', ['10.0.0.5']]])) ?? Buffer.alloc(0));
  expect(answer).toMatchObject({ id: 7, type: 'response', rcode: 'NOERROR', answers: [] });
});
