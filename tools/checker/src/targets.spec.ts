import { parseAddress, parseNode } from './targets';

it.each([
  ['db.example:5432', { host: 'db.example', port: 5432 }],
  ['10.0.0.1:1', { host: '10.0.0.1', port: 1 }],
  ['[fe80::1]:65535', { host: 'fe80::1', port: 65_535 }],
])('%s is an address', (text, expected) => {
  expect(parseAddress(text)).toEqual(expected);
});

it.each(['', 'host', 'host:', ':5432', 'host:0', 'host:65536', 'host:54a', 'a:b:1', '[::1]', 'ho st:1'])(
  '%j is no address',
  (text) => {
    expect(() => parseAddress(text)).toThrow(RangeError);
  },
);

it('a node has a name and an address', () => {
  expect(parseNode('node0=10.0.0.1:5432')).toEqual({ name: 'node0', host: '10.0.0.1', port: 5432 });
  for (const text of ['10.0.0.1:5432', '=10.0.0.1:5432', 'node0=', 'a b=c:1']) {
    expect(() => parseNode(text)).toThrow(RangeError);
  }
});
