import { isSameWay, streamDoor } from './stream-way';

const upstream = { node: 'm', host: 'm.local', port: 5432, apiPort: 8080, term: 3 };
const via = [
  { host: 'lb0', port: 5434 },
  { host: 'fd00::7', port: 15434 },
];

test('WAL is streamed from the upstream itself, or by the load balancers in their order', () => {
  expect(streamDoor(upstream)).toEqual({ host: 'm.local', port: '5432' });
  expect(streamDoor({ ...upstream, via: [] })).toEqual({ host: 'm.local', port: '5432' });
  expect(streamDoor({ ...upstream, via })).toEqual({ host: 'lb0,fd00::7', port: '5434,15434' });
});

test('a way is another when its doors are', () => {
  expect(isSameWay(null, null)).toBe(true);
  expect(isSameWay(upstream, null)).toBe(false);
  expect(isSameWay(upstream, { ...upstream, via })).toBe(false);
  expect(isSameWay({ ...upstream, via }, { ...upstream, node: 'n', host: 'n.local', via })).toBe(true);
  expect(isSameWay({ ...upstream, via }, { ...upstream, via: [...via].reverse() })).toBe(false);
});
