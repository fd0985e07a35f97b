import type { Phase, Role } from '@ha-postgres/cluster-state';
import { NOTHING_TOLD, UNTOLD } from './cluster-view';
import { isSamePlan, planBackends, wishFor, type Desired } from './plan-backends';
import { BACKENDS, SERVERS, held, instance, masterValue, view } from './testing/views';

const plan = (over: Parameters<typeof view>[0] = {}): Desired => planBackends(view(over), BACKENDS);

/** What every server is to do, in one word each. */
function routes(desired: Desired): Record<string, string> {
  return Object.fromEntries(
    SERVERS.map((path) => {
      const [backend = '', server = ''] = path.split('/');
      const wish = wishFor(desired, backend, server);
      return [server, wish.kind === 'serve' ? wish.target.node : wish.kind];
    }),
  );
}

const roles = (entries: Record<string, Role | null>): ReadonlyMap<string, Role | null> =>
  new Map(Object.entries(entries));

describe('planBackends', () => {
  it('leads to the holder of the key and to the passing Replicas in the slots of their ordinals', () => {
    expect(routes(plan())).toEqual({
      master0: 'pg-0',
      hold: 'rest',
      replication0: 'pg-0',
      standby0: 'rest',
      standby1: 'pg-1',
      standby2: 'pg-2',
      standby3: 'rest',
    });
  });

  it('asks role-server for the health of Master and Replicas, and nobody for replication', () => {
    const wish = (backend: string, server: string) => wishFor(plan(), backend, server);
    expect(wish('master', 'master0')).toEqual({
      kind: 'serve',
      target: { node: 'pg-0', host: '10.0.0.1', port: 5432, checkPort: 8080 },
    });
    expect(wish('standby', 'standby1')).toMatchObject({ target: { host: '10.0.0.2', checkPort: 8080 } });
    expect(wish('replication', 'replication0')).toMatchObject({ target: { checkPort: null } });
  });

  it.each<[Phase, string]>([
    ['waiting', 'rest'],
    ['promoting', 'rest'],
    ['running', 'pg-0'],
    ['draining', 'rest'],
  ])('leads the master port to a holder only while it runs: %s → %s', (phase, expected) => {
    expect(routes(plan({ master: held(masterValue(0, { phase })) })).master0).toBe(expected);
  });

  it('leads the master port nowhere without a session, without a key, or when it is released', () => {
    expect(routes(plan({ master: held(masterValue(0), null) })).master0).toBe('rest');
    expect(routes(plan({ master: held(null, null) })).master0).toBe('rest');
    expect(routes(plan({ master: held(masterValue(0, { released: true })) })).master0).toBe('rest');
  });

  it('lets the sessions of a Master that hands over go on until it has released the key, and no new ones come', () => {
    const leaving = masterValue(0, { phase: 'draining', successor: 'pg-1' });
    const wish = (session: string | null, over = {}) =>
      wishFor(plan({ master: held({ ...leaving, ...over }, session) }), 'master', 'master0');
    expect(wish('s1')).toMatchObject({ kind: 'drain', target: { node: 'pg-0', port: 5432 } });
    expect(wish(null)).toEqual({ kind: 'rest' });
    expect(wish(null, { released: true })).toEqual({ kind: 'rest' });
    expect(plan({ master: held(leaving) }).master).toBeNull();
  });

  it('plugs the master backend while clients are held, and rests the plug otherwise', () => {
    const leaving = view({ master: held(masterValue(0, { phase: 'draining', successor: 'pg-1' })) });
    expect(wishFor(planBackends(leaving, BACKENDS, true), 'master', 'hold').kind).toBe('plug');
    expect(wishFor(planBackends(leaving, BACKENDS, false), 'master', 'hold').kind).toBe('rest');
    expect(isSamePlan(planBackends(leaving, BACKENDS, true), planBackends(leaving, BACKENDS, false))).toBe(false);
  });

  it('lets Replicas follow the last Master until it has released the key, also while it drains or has lost its session', () => {
    const replication = (over: Parameters<typeof masterValue>[1], session: string | null = 's1') =>
      routes(plan({ master: held(masterValue(0, over), session) })).replication0;
    expect(replication({ phase: 'draining' })).toBe('pg-0');
    expect(replication({}, null)).toBe('pg-0');
    expect(replication({ phase: 'draining', released: true }, null)).toBe('rest');
  });

  it('cuts no Replica off from the last Master while another has the key and waits for the end of its lease, or promotes', () => {
    for (const phase of ['waiting', 'promoting'] as const) {
      const replication = (over: Parameters<typeof masterValue>[1]) =>
        routes(plan({ master: held(masterValue(1, { phase, ...over })) })).replication0;
      expect(replication({})).toBe('leave');
      expect(replication({ released: true })).toBe('rest');
    }
  });

  it('takes the node that is promoting out of the standbys, but not a candidate that may still give up', () => {
    const standby1 = (phase: Phase) => routes(plan({ master: held(masterValue(1, { phase })) })).standby1;
    expect(standby1('promoting')).toBe('rest');
    expect(standby1('waiting')).toBe('pg-1');
  });

  it('leaves a Replica out that is to get no readers, and leads to it all the same when it is the Master', () => {
    const value = [instance(0), instance(1, { noLoadBalance: true }), instance(2)];
    const desired = plan({ instances: { told: true, value } });
    expect(routes(desired)).toMatchObject({ standby1: 'rest', standby2: 'pg-2' });
    expect(desired.standbys).toEqual(['pg-2']);
    expect(routes(plan({ instances: { told: true, value }, master: held(masterValue(1)) })).master0).toBe('pg-1');
  });

  it('takes a former Master among the standbys once its role is Replica and the key is not its own', () => {
    const over = { roles: roles({ 'pg-0': 'Replica', 'pg-1': 'Master', 'pg-2': 'Replica' }) };
    expect(routes(plan({ ...over, master: held(masterValue(0, { released: true }), null) })).standby0).toBe('pg-0');
    expect(routes(plan({ ...over, master: held(masterValue(1)) })).standby0).toBe('pg-0');
  });

  it.each<[string, Role | null]>([
    ['DeadMaster', 'DeadMaster'],
    ['Master without the key', 'Master'],
    ['without a role', null],
  ])('leads to a node that is %s nowhere', (_what, role) => {
    expect(routes(plan({ roles: roles({ 'pg-0': 'Master', 'pg-1': role, 'pg-2': 'Replica' }) })).standby1).toBe('rest');
  });

  it('leaves everything as it is before Consul has told anything', () => {
    expect(new Set(Object.values(routes(planBackends(NOTHING_TOLD, BACKENDS))))).toEqual(new Set(['leave']));
  });

  it('leaves only what depends on something that has not been told yet', () => {
    expect(routes(plan({ master: UNTOLD }))).toMatchObject({
      master0: 'leave',
      hold: 'leave',
      replication0: 'leave',
      standby1: 'pg-1',
    });
    expect(routes(plan({ instances: UNTOLD }))).toMatchObject({
      master0: 'pg-0',
      standby0: 'leave',
      standby3: 'leave',
    });
    expect(routes(plan({ roles: roles({ 'pg-0': 'Master', 'pg-1': 'Replica' }) }))).toMatchObject({
      standby1: 'pg-1',
      standby2: 'leave',
      standby3: 'rest',
    });
  });

  it('never touches servers that are not its own', () => {
    expect(wishFor(plan(), 'master', 'other').kind).toBe('leave');
    expect(wishFor(plan(), 'standby', 'reporting').kind).toBe('leave');
    expect(wishFor(plan(), 'other', 'standby1').kind).toBe('leave');
    const without = planBackends(view(), { ...BACKENDS, replication: null });
    expect(wishFor(without, 'replication', 'replication0').kind).toBe('leave');
  });

  it('names a node that it cannot place, and places the others', () => {
    const odd = [instance(1), { ...instance(2), node: 'reporting' }, instance(3, { host: 'pg-3.example' })];
    const twin = { ...instance(1), node: 'zz-1', host: '10.0.0.9' };
    const desired = plan({
      instances: { told: true, value: [...odd, twin] },
      roles: roles({ 'pg-1': 'Replica', reporting: 'Replica', 'pg-3': 'Replica', 'zz-1': 'Replica' }),
    });
    expect(desired.standbys).toEqual(['pg-1']);
    expect(desired.problems).toEqual([
      expect.stringContaining('pg-3.example'),
      expect.stringContaining('reporting'),
      expect.stringContaining('zz-1'),
    ]);
    expect(plan({ master: held(masterValue(0, { host: 'pg-0.example' })) })).toMatchObject({
      master: null,
      problems: [expect.stringContaining('pg-0.example')],
    });
  });

  it('takes a beat for no change, and a new term, phase or route for one', () => {
    const other = (over: Parameters<typeof masterValue>[1]) => plan({ master: held(masterValue(0, over)) });
    expect(isSamePlan(plan(), other({ beat: 99, lsn: '0/4000000' }))).toBe(true);
    expect(isSamePlan(plan(), other({ term: 2 }))).toBe(false);
    expect(isSamePlan(plan(), other({ phase: 'draining' }))).toBe(false);
    expect(isSamePlan(plan(), other({ port: 5433 }))).toBe(false);
    expect(isSamePlan(plan(), plan({ instances: { told: true, value: [instance(0), instance(1)] } }))).toBe(false);
  });
});
