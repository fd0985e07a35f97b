import type { HealthyService, KvEntry } from '@ha-postgres/consul-election';
import { readInstances, readMaster, readRole } from './consul-facts';
import { UNTOLD } from './cluster-view';
import { held, instance, masterValue } from './testing/views';

const entry = (value: string, session: string | null = 's1', modifyIndex = 8): KvEntry => ({
  key: 'k',
  value,
  session,
  modifyIndex,
  createIndex: 1,
  lockIndex: 1,
  flags: 0,
});

const service = (over: Partial<HealthyService> = {}): HealthyService => ({
  node: 'agent-1',
  id: 'postgres-pg-1',
  address: '10.0.0.2',
  port: 5432,
  tags: ['replica'],
  meta: { node: 'pg-1', apiPort: '8080' },
  checks: [],
  ...over,
});

describe('readMaster', () => {
  it('reads the value with its index and holder', () => {
    const { value, problems } = readMaster(UNTOLD, entry(JSON.stringify(masterValue(1))));
    expect(value).toEqual({ index: 8, session: 's1', value: masterValue(1) });
    expect(problems).toEqual([]);
  });

  it('knows that nobody holds a key that does not exist', () => {
    expect(readMaster(held(masterValue(0)), null).value).toEqual({ index: 0, session: null, value: null });
  });

  it.each(['', '{', 'null', '{"node":"pg-0"}', '[]', '\u0000'])(
    'keeps the value before garbage %j in the same hold',
    (text) => {
      const { value, problems } = readMaster(held(masterValue(0)), entry(text));
      expect(value.value).toEqual(masterValue(0));
      expect(problems).toHaveLength(1);
    },
  );

  it('believes garbage of another holder, or of none, to name no Master', () => {
    expect(readMaster(held(masterValue(0)), entry('{', 's2')).value).toEqual({ index: 8, session: 's2', value: null });
    expect(readMaster(held(masterValue(0)), entry('{', null)).value).toMatchObject({ session: null, value: null });
    expect(readMaster(held(masterValue(0), null), entry('{', null)).value).toMatchObject({ value: null });
    expect(readMaster(UNTOLD, entry('{')).value).toMatchObject({ value: null });
  });
});

describe('readRole', () => {
  it('reads the role; no key is no role', () => {
    expect(readRole('pg-1', undefined, entry('Replica'))).toEqual({ value: 'Replica', problems: [] });
    expect(readRole('pg-1', 'Replica', null)).toEqual({ value: null, problems: [] });
  });

  it('keeps the role before garbage, which alone gives none, and names the node', () => {
    expect(readRole('pg-1', 'DeadMaster', entry('Boss'))).toMatchObject({
      value: 'DeadMaster',
      problems: [expect.stringContaining('pg-1')],
    });
    expect(readRole('pg-1', undefined, entry('Boss')).value).toBeNull();
  });
});

describe('readInstances', () => {
  it('reads the node from meta, or else from the id', () => {
    const { value } = readInstances(UNTOLD, [
      service(),
      service({ id: 'postgres-pg-2', address: '10.0.0.3', meta: { apiPort: '8080' } }),
    ]);
    expect(value).toEqual([instance(1), instance(2)]);
  });

  it('reads from the tags that a node is to get no readers', () => {
    const { value } = readInstances(UNTOLD, [
      service({ tags: ['noLoadBalance'] }),
      service({ tags: ['master', 'noLoadBalance'] }),
    ]);
    expect(value.map(({ noLoadBalance }) => noLoadBalance)).toEqual([true, true]);
  });

  it.each<[string, Partial<HealthyService>]>([
    ['no apiPort', { meta: { node: 'pg-1' } }],
    ['an apiPort that is none', { meta: { node: 'pg-1', apiPort: '99999' } }],
    ['port 0', { port: 0 }],
  ])('keeps an instance as it was when it comes with %s', (_what, over) => {
    const before = { told: true, value: [instance(1), instance(2)] } as const;
    const { value, problems } = readInstances(before, [service(over)]);
    expect(value).toEqual([instance(1)]);
    expect(problems).toHaveLength(1);
    expect(readInstances(UNTOLD, [service(over)]).value).toEqual([]);
  });
});
