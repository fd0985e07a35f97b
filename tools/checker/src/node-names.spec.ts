import { History, type HistoryEvent, type Server } from './history';
import { NodeNames } from './node-names';

const server = (address: string, startedAt: string): Server => ({ address, startedAt, timeline: 1 });

/** A record in which the prober of a node was acknowledged by a server, for each pair. */
function namesAfter(...probes: readonly (readonly [node: string, by: Server])[]): NodeNames {
  const nodes = [
    { name: 'a', host: '10.0.0.1', port: 5432 },
    { name: 'b', host: 'b.example', port: 5432 },
  ];
  const run: HistoryEvent = { type: 'run', version: 1, at: 0, run: '', startedAt: '', nodes };
  const writes = probes.flatMap(([direct, by], id): HistoryEvent[] => [
    { type: 'sent', at: id, id, writer: '', direct },
    { type: 'acknowledged', at: id, id, by, connectedAt: 0 },
  ]);
  return new NodeNames(History.of([run, ...writes]));
}

it('a server is known by the address that was given for its node', () => {
  expect(namesAfter().nameOf(server('10.0.0.1:5432', '1'))).toBe('a');
});

it('a server whose address is given by name is known once the prober has met it, also after a restart', () => {
  expect(namesAfter().nameOf(server('10.0.0.2:5432', '1'))).not.toBe('b');
  const names = namesAfter(['b', server('10.0.0.2:5432', '1')]);
  expect(names.nameOf(server('10.0.0.2:5432', '1'))).toBe('b');
  expect(names.nameOf(server('10.0.0.2:5432', '2'))).toBe('b');
});

it('servers that all say the same address, each in a network of its own, are told apart by their start', () => {
  const names = namesAfter(['a', server('127.0.0.1:5432', '1')], ['b', server('127.0.0.1:5432', '2')]);
  expect(names.nameOf(server('127.0.0.1:5432', '1'))).toBe('a');
  expect(names.nameOf(server('127.0.0.1:5432', '2'))).toBe('b');
  expect(['a', 'b']).not.toContain(names.nameOf(server('127.0.0.1:5432', '3')));
});

it('one server that was given as two nodes is one', () => {
  const one = server('10.0.0.9:5432', '1');
  expect(namesAfter(['a', one], ['b', one]).nameOf(one)).toBe('a');
});
