import type { Hold } from '@ha-postgres/failover';
import { endWorlds, world } from '../../test/fixture/world';
import { assertSettings } from './settings-in-place';

afterEach(endWorlds);

const QUORUM = { version: 1, mode: 'quorum', k: 1, names: ['a', 'c'], previous: null } as const;
const NAMES = 'ANY 1 ("a", "c")';

/** Node `b` holds term 6, and PostgreSQL shows what it shows. */
function holder(shown: { names: string; admits: string | null }, change: { term?: number; last?: string } = {}) {
  const w = world('--replication=quorum');
  const last = { node: change.last ?? 'a', term: 5, timeline: 1, lsn: '0/1' };
  w.parts.facts.hold = { view: { term: 6, last } as Hold, stop: () => undefined } as never;
  const entry = { key: 'sync', value: JSON.stringify({ ...QUORUM, term: change.term ?? 6 }), modifyIndex: 9 };
  w.parts.consul.sawSync(entry as never, { sentAt: 1, receivedAt: 1 });
  w.postgres.reply = (sql) => (sql.includes('current_setting') ? [shown] : []);
  return { w, asserted: () => assertSettings(w.parts, 6) };
}

it('lets a PostgreSQL be promoted that shows the rule of this very term', async () => {
  const { asserted } = holder({ names: NAMES, admits: 'everyone' });
  await expect(asserted()).resolves.toBeUndefined();
});

it.each([
  ['shows no rule', { names: '', admits: 'everyone' }, {}],
  ['shows another rule', { names: 'ANY 1 ("a")', admits: 'everyone' }, {}],
  ['lets clients in that must wait', { names: NAMES, admits: 'everyone' }, { last: 'b' }],
  ['still shuts clients out', { names: NAMES, admits: 'replication' }, {}],
  ['has its rule from another term', { names: NAMES, admits: 'everyone' }, { term: 5 }],
] as const)('promotes none that %s', async (_what, shown, change) => {
  const { asserted } = holder(shown, change);
  await expect(asserted()).rejects.toMatchObject({ code: 'HAPG_SETTINGS_NOT_IN_PLACE' });
});

it('sends clients away that came while it was a standby, where they must wait', async () => {
  const { w, asserted } = holder({ names: NAMES, admits: 'replication' }, { last: 'b' });
  await asserted();
  expect(w.postgres.asked.at(-1)).toContain('pg_terminate_backend');
});

it('asks nothing of a PostgreSQL in a cluster without such a rule', async () => {
  const { w, asserted } = holder({ names: '', admits: null });
  w.parts.consul.sawSync(null, { sentAt: 2, receivedAt: 2 });
  await asserted();
  expect(w.postgres.asked).toEqual([]);
});
