import { adviceOf } from './advice';
import { pictureOf } from './picture';
import { KEYS, MASTER_ANSWER, address, answered, entries, entry, reading, silent } from './testing/samples';

const adviceFor = (change: Parameters<typeof reading>[0]) => adviceOf(pictureOf(reading(change)));

test('a healthy cluster waits for nobody', () => {
  expect(adviceFor({})).toEqual([]);
});

test('Consul without its memory: the nodes are ranked, and the newest is named in what to type', () => {
  const wentBack = { role: 'Replica' as const, consulWentBack: 'the master key is gone' };
  const answers = [answered('a', { ...wentBack, lsn: '0/6000000' }), answered('b', wentBack), silent('c')];
  const [first] = adviceFor({ entries: [], answers });
  expect(first?.what).toContain('says a, b: the master key is gone');
  expect(first?.what).toContain('a: data of term 4, WAL up to 0/6000000; b: data of term 4');
  expect(first?.remedies).toEqual(['hapg bootstrap --from a']);
});

test('nobody able to take over: the reason of every node', () => {
  const behind = { able: false, why: 'lags 9000000 bytes behind the last Master' };
  const [first] = adviceFor({
    entries: entries({ session: null }),
    answers: [
      answered('b', { takeover: behind }),
      answered('c', { takeover: { able: false, why: 'tagged noFailover' } }),
    ],
  });
  expect(first?.what).toContain('b: lags 9000000 bytes behind the last Master; c: tagged noFailover');
});

test('nobody able to take over: whom to let, and that data is given up', () => {
  const no = { able: false, why: '2 votes are needed' };
  const [first] = adviceFor({
    entries: entries({ session: null }),
    answers: [answered('b', { takeover: no, lsn: '0/4000000' }), answered('c', { takeover: no })],
  });
  expect(first?.remedies.join()).toContain('hapg failover --to c --accept-data-loss');
});

test('nobody able to take over: not who is never to be Master', () => {
  const no = { able: false, why: 'tagged noFailover' };
  const tags = { noFailover: true, failoverPriority: 0 };
  const [first] = adviceFor({
    entries: entries({ session: null }),
    answers: [answered('b', { takeover: no, lsn: '0/4000000' }), answered('c', { takeover: no, tags })],
  });
  expect(first?.remedies.join()).toContain('hapg failover --to b');
});

test('nobody able to take over, and nobody that answers is a member: the keys are to be made anew', () => {
  const no = { able: false, why: 'not on the list of members yet' };
  const members = entry(KEYS.members, { members: [address('a')] });
  const [first] = adviceFor({
    entries: [...entries({ session: null }).filter(({ key }) => key !== KEYS.members), members],
    answers: [silent('a'), answered('b', { takeover: no }), answered('c', { takeover: no, lsn: '0/6000000' })],
  });
  expect(first?.remedies).toEqual([
    'bring the missing nodes back',
    'or, if those on the list of members are gone for good: hapg bootstrap --from c --unreachable-are-down',
  ]);
});

test('commits that wait for a Replica', () => {
  const sync = {
    mode: 'quorum',
    k: 1,
    names: ['b', 'c'],
    streaming: [],
    waiting: true,
    settled: true,
    barred: false,
  } as const;
  const [first] = adviceFor({ answers: [answered('a', { role: 'Master', sync }), answered('b'), answered('c')] });
  expect(first?.what).toBe('Commits wait on a: 1 of b, c must confirm, and 0 stream.');
});

test('a held lease, or a node that is able, needs nobody', () => {
  expect(adviceFor({ entries: entries({ session: null }) })).toEqual([]);
});

test('a node that would lose commits: which, and both ways out', () => {
  const divergence = {
    ...{ term: 4, fromLsn: '0/4000000', toLsn: '0/4000200', commits: 2, transactions: [741, 742] },
    ...{ relations: [], keptAt: null, why: null },
  };
  const rejoin = 'HAPG_REJOIN_WOULD_LOSE: 2 commits that term 4 lacks: rejoining would lose them';
  const [first] = adviceFor({
    answers: [MASTER_ANSWER, answered('b', { role: 'DeadMaster', rejoin, divergence }), answered('c')],
  });
  expect(first?.what).toContain('(2 commits, WAL from 0/4000000 to 0/4000200, transactions 741, 742)');
  expect(first?.remedies[0]).toBe('hapg rejoin b');
});

test.each([
  ['rejoins by itself', 'rejoins a (examine): reads WAL', 0, ''],
  ['waits for a Master', 'waits for a Master that runs', 0, ''],
  ['may not rejoin', 'waits until its data directory is emptied (rejoin: never)', 1, 'or empty its data directory'],
  ['cannot rejoin', 'HAPG_REJOIN_FAILED: no room on the disk', 1, 'or empty its data directory'],
])('a DeadMaster that %s', (_, rejoin, count, remedy) => {
  const told = adviceFor({ answers: [MASTER_ANSWER, answered('b', { role: 'DeadMaster', rejoin }), answered('c')] });
  expect(told).toHaveLength(count);
  expect(told[0]?.remedies[0] ?? '').toContain(remedy);
});

test('a DeadMaster: why it is blocked, and what lifts it', () => {
  const dead = answered(
    'b',
    { role: 'DeadMaster' },
    { instruction: 'blocked', instructionWhy: 'another ran after it' },
  );
  const [first] = adviceFor({ answers: [MASTER_ANSWER, dead, answered('c')] });
  expect(first?.what).toBe('b is blocked (DeadMaster): another ran after it');
});

test('a node that does not answer, a pause and an unreadable key are told', () => {
  const told = adviceFor({
    entries: [...entries(), entry(KEYS.pause, { id: '1', by: 'me', why: 'upgrade' }), entry(KEYS.switchover, 'x')],
    answers: [MASTER_ANSWER, answered('b'), silent('c')],
  });
  expect(told.map(({ what }) => what)).toEqual([
    expect.stringContaining('c, a member, does not answer (no answer: connection refused)'),
    expect.stringContaining('Paused by me: upgrade'),
    expect.stringContaining(`What stands in ${KEYS.switchover} cannot be read`),
  ]);
});

test('Consul that does not answer is told first', () => {
  const [first] = adviceFor({ entries: [], consulIsSilent: 'connection refused', answers: [] });
  expect(first?.what).toContain('Consul does not answer: connection refused');
  expect(first?.remedies.join()).toContain('--role-servers');
});
