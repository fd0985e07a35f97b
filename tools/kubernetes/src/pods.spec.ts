import { parsePods, podChanges } from './pods';

const object = (name: string, uid: string, component: string | null, restarts: Record<string, number> = {}) => ({
  metadata: { name, uid, labels: component === null ? {} : { 'app.kubernetes.io/component': component } },
  status: {
    podIP: '10.0.0.7',
    containerStatuses: Object.entries(restarts).map(([container, restartCount]) => ({ name: container, restartCount })),
    initContainerStatuses: [{ name: 'controller', restartCount: 1 }],
  },
});
const pods = (...items: object[]) => parsePods(JSON.stringify({ items }));

test('pods of the chart are read with their containers, those that start before others as well; the pod of a test is none of them', () => {
  expect(pods(object('ha-postgres-0', 'u1', 'db', { postgres: 2 }), object('test', 'u2', null))).toEqual([
    { name: 'ha-postgres-0', uid: 'u1', component: 'db', ip: '10.0.0.7', restarts: { controller: 1, postgres: 2 } },
  ]);
});

test('a pod without an address yet is read', () => {
  const pending = { metadata: { name: 'a', uid: 'u', labels: { 'app.kubernetes.io/component': 'lb' } } };
  expect(pods(pending)).toEqual([{ name: 'a', uid: 'u', component: 'lb', ip: null, restarts: {} }]);
});

test('what has changed: pods that went, came, or are others under the same name, and containers that were started again', () => {
  const before = pods(object('a', '1', 'db'), object('b', '1', 'db', { postgres: 0 }), object('c', '1', 'lb'));
  const now = pods(object('a', '2', 'db'), object('b', '1', 'db', { postgres: 1 }), object('d', '1', 'lb'));
  expect(podChanges(before, now)).toEqual([
    { pod: 'c', component: 'lb', container: null, text: 'is gone' },
    { pod: 'a', component: 'db', container: null, text: 'is a new pod' },
    { pod: 'b', component: 'db', container: 'postgres', text: 'was started again' },
    { pod: 'd', component: 'lb', container: null, text: 'is there' },
  ]);
  expect(podChanges(now, now)).toEqual([]);
});
