import type { NodeStatus } from '@ha-postgres/cluster-state';
import { parseMaster, parseMembers, parseEpoch } from '@ha-postgres/cluster-state';
import { planBootstrap, TERMS_LEFT_OUT, type BootstrapPlan } from './bootstrap-plan';
import type { Reading } from './read/reading';
import { KEYS, address, answered, entries, entry, reading, silent } from './testing/samples';

const GONE = { consulWentBack: 'the master key is gone', takeover: { able: false, why: 'the master key is gone' } };
const lost = (node: string, change: Partial<NodeStatus> = {}) => answered(node, { ...GONE, ...change });

/** Consul is empty; `a`, `b` and `c` answer, with the same data. */
const emptied = (...answers: Reading['answers']): Reading =>
  reading({ entries: [], answers: answers.length > 0 ? answers : [lost('a'), lost('b'), lost('c')] });

const WISH = { from: 'b', by: 'me@here', unreachableAreDown: false, acceptDataLoss: false };

const plan = (given: Reading, wish: Partial<typeof WISH> = {}) => planBootstrap(KEYS, given, { ...WISH, ...wish });
const refusal = (given: Reading, wish: Partial<typeof WISH> = {}) =>
  (plan(given, wish) as { refused?: string }).refused;
function planned(given: Reading, wish: Partial<typeof WISH> = {}): BootstrapPlan {
  const made = plan(given, wish);
  if ('refused' in made) throw new Error(made.refused);
  return made;
}
function written(made: BootstrapPlan, key: string): string {
  const operation = made.operations.find((one) => one.key === key);
  if (operation === undefined || !('value' in operation)) throw new Error(`nothing is written to ${key}`);
  return operation.value;
}

test('the keys name the node: it alone is a member, and its own data is what the last Master left', () => {
  const made = planned(emptied());
  const master = parseMaster(written(made, KEYS.master));
  expect(master).toMatchObject({
    ok: true,
    value: {
      node: 'b',
      phase: 'waiting',
      released: false,
      successor: 'b',
      last: { node: 'b', term: 4, lsn: '0/5000000' },
    },
  });
  expect(parseMembers(written(made, KEYS.members))).toEqual({ ok: true, value: { members: [address('b')] } });
  expect(JSON.parse(written(made, KEYS.initialize))).toEqual({ node: 'b', systemId: '7000000000000000001' });
});

test('nothing is written but over exactly what was read', () => {
  const made = planned(
    reading({ entries: entries({ session: null, master: { term: 3 } }), answers: [lost('a'), lost('b')] }),
  );
  expect(made.operations.map(({ verb, key }) => `${verb} ${key.split('/').pop() ?? ''}`)).toEqual([
    'cas master',
    'cas members',
    'cas history',
    'cas epoch',
    'check-index initialize',
    'cas override',
  ]);
  const indexes = made.operations.map((operation) => ('index' in operation ? operation.index : null));
  expect(indexes).toEqual([100, 100, 100, 0, 100, 0]);
});

test('the term lies far above all that was seen, so that what a node without an answer ran is never taken for it', () => {
  expect(planned(emptied(lost('a', { highestTerm: 9 }), lost('b'))).term).toBe(9 + TERMS_LEFT_OUT);
  const snapshot = reading({ entries: entries({ session: null, master: { term: 12 } }), answers: [lost('b')] });
  expect(planned(snapshot).term).toBe(12 + TERMS_LEFT_OUT);
});

test('the epoch is one above all that any node or key knows', () => {
  const known = reading({
    entries: [entry(KEYS.epoch, { number: 2, from: 'a', by: 'x' })],
    answers: [lost('b', { epoch: 3 })],
  });
  expect(parseEpoch(written(planned(known), KEYS.epoch))).toEqual({
    ok: true,
    value: { number: 4, from: 'b', by: 'me@here' },
  });
});

test('promotions that an old snapshot tells of stay: they happened', () => {
  const snapshot = reading({ entries: entries({ session: null }), answers: [lost('b')] });
  expect(JSON.parse(written(planned(snapshot), KEYS.history))).toMatchObject({ promotions: [{ term: 4 }] });
});

test.each<[string, Reading, RegExp]>([
  ['a cluster with a Master', reading(), /holds the lock/],
  [
    'a Consul that has forgotten nothing',
    reading({ entries: entries({ session: null }) }),
    /no node that answers says/,
  ],
  ['a node that nobody knows', emptied(lost('a')), /no node "b" is known/],
  ['a node that does not answer', emptied(lost('a'), silent('b')), /b does not answer: connection refused/],
  ['a DeadMaster', emptied(lost('b', { role: 'DeadMaster' })), /b is a DeadMaster/],
  ['a node whose data has left the history', emptied(lost('b', { rejoin: 'waits for a Master' })), /waits to rejoin/],
  ['a node without data', emptied(lost('b', { dataTerm: 0 })), /holds no data/],
  [
    'a node that is never promoted',
    emptied(lost('b', { tags: { noFailover: true, failoverPriority: 0 } })),
    /noFailover/,
  ],
  [
    'a node whose PostgreSQL does not answer',
    emptied(lost('b', { postgresAlive: false, lastError: 'refused' })),
    /b's PostgreSQL does not answer \(refused\)/,
  ],
  ['a second Master', emptied(lost('a', { role: 'Master' }), lost('b')), /a may take writes/],
  [
    'a PostgreSQL out of recovery, whatever its role',
    emptied(lost('c', { inRecovery: false }), lost('b')),
    /c may take writes/,
  ],
  ['nodes that do not answer', emptied(lost('b'), silent('c')), /c does not answer.*--unreachable-are-down/],
  [
    'an older node than another',
    emptied(lost('a', { lsn: '0/6000000' }), lost('b')),
    /a has newer data \(term 4, WAL up to 0\/6000000\) than b/,
  ],
])('refuses %s', (_, given, why) => {
  expect(refusal(given)).toMatch(why);
});

test('what the administrator answers for is said before', () => {
  const given = reading({
    entries: [entry(KEYS.initialize, { node: 'x', systemId: '8' })],
    answers: [lost('a', { lsn: '0/6000000' }), lost('b'), silent('c')],
  });
  const { says } = planned(given, { unreachableAreDown: true, acceptDataLoss: true });
  expect(says.join('\n')).toMatch(/a has newer data .*, 16 MB more/);
  expect(says.join('\n')).toContain('Not reached: c');
  expect(says.join('\n')).toContain('names another cluster (system identifier 8)');
});

test('what cannot be read may be overwritten: nobody takes over by it', () => {
  const garbage = reading({ entries: [entry(KEYS.master, 'garbage')], answers: [answered('b')] });
  expect(planned(garbage).operations[0]).toMatchObject({ verb: 'cas', key: KEYS.master, index: 100 });
});

test('the administrator’s word is written as well: under a synchronous rule the named node cannot have its votes', () => {
  const rule = { version: 3, term: 4, mode: 'quorum', k: 1, names: ['a', 'c'], previous: null };
  const snapshot = reading({ entries: [...entries({ session: null }), entry(KEYS.sync, rule)], answers: [lost('b')] });
  expect(JSON.parse(written(planned(snapshot), KEYS.override))).toMatchObject({
    node: 'b',
    afterTerm: 4,
    by: 'me@here',
  });
  // The rule that it writes itself, with the key gone, may let commits wait for nobody: then no number of votes is enough.
  expect(JSON.parse(written(planned(emptied()), KEYS.override))).toMatchObject({ node: 'b', afterTerm: 4 });
});

test('a list of members that cannot be read keeps everybody from taking over: the keys are made anew, unless somebody holds the lock', () => {
  const garbled = (session: string | null) =>
    reading({
      entries: [
        ...entries({ session, master: { term: 4 } }).filter(({ key }) => key !== KEYS.members),
        { ...entry(KEYS.members, {}), value: '{' },
      ],
      answers: [answered('a'), answered('b'), answered('c')],
    });
  expect(parseMembers(written(planned(garbled(null)), KEYS.members))).toMatchObject({
    ok: true,
    value: { members: [address('b')] },
  });
  expect(refusal(garbled('session-1'))).toContain('holds the lock');
});

test('a list of members of which nobody answers keeps everybody from taking over: the keys are made anew once those are said to be down', () => {
  const members = entry(KEYS.members, { members: [address('a')] });
  const orphaned = reading({
    entries: [...entries({ session: null, master: { term: 4 } }).filter(({ key }) => key !== KEYS.members), members],
    answers: [silent('a'), answered('b'), answered('c')],
  });
  expect(refusal(orphaned)).toMatch(/a does not answer.*--unreachable-are-down/);
  expect(parseMembers(written(planned(orphaned, { unreachableAreDown: true }), KEYS.members))).toMatchObject({
    ok: true,
    value: { members: [address('b')] },
  });
});
