import { answered, reading, silent } from '../testing/samples';
import { furtherPlaces, placesToAsk } from './places';

const { keys } = reading();
const none = reading({ entries: [] }).keys;
const service = (meta: Record<string, string>) => ({
  ...{ node: 'agent', id: 'x', address: 'd.local', port: 5432, tags: [], meta, checks: [] },
});

test('statuses, members, the catalogue and what is given by hand name the nodes, each once', () => {
  const places = placesToAsk(keys, [service({ node: 'd', apiPort: '8080' })], ['b.local:8080', 'e.local:81']);
  expect(places.map(({ name, host, apiPort }) => `${name ?? '?'} ${host}:${apiPort}`)).toEqual([
    'a a.local:8080',
    'b b.local:8080',
    'c c.local:8080',
    'd d.local:8080',
    '? e.local:81',
  ]);
});

test('a service of somebody else, without a node’s name or port, is not asked', () => {
  expect(placesToAsk(none, [service({}), service({ node: 'd', apiPort: 'x' })], [])).toEqual([]);
});

test('where Consul has forgotten the members, one node that answers leads to the others', () => {
  expect(furtherPlaces([answered('a'), silent('b')])).toEqual([{ name: 'c', host: 'c.local', apiPort: 8080 }]);
});
