import { membersMeant, type KnownMember } from './groups';

const members: KnownMember[] = [
  { name: 'consul0', kind: 'consul server', role: null },
  { name: 'node0', kind: 'node', role: 'Replica' },
  { name: 'node1', kind: 'node', role: 'Master' },
  { name: 'node2', kind: 'node', role: null },
  { name: 'lb0', kind: 'load balancer', role: null },
];

describe('who is meant', () => {
  it.each([
    ['node2', ['node2']],
    ['all', members.map(({ name }) => name)],
    ['consul', ['consul0']],
    ['nodes', ['node0', 'node1', 'node2']],
    ['master', ['node1']],
    ['replicas', ['node0']],
    ['lbs', ['lb0']],
  ])('by %s', (word, expected) => {
    expect(membersMeant(word, members)).toEqual(expected);
  });

  it.each(['node7', '', 'toString'])('by %j nobody, and the message says who there is', (word) => {
    expect(() => membersMeant(word, members)).toThrow('consul0, node0, node1, node2, lb0; and: all, nodes');
  });

  it('is nobody where there is no Master now', () => {
    expect(() => membersMeant('master', members.slice(0, 2))).toThrow('"master" means no member now');
  });
});
