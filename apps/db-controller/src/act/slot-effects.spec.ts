import { address } from '../../test/fixture/values';
import { endWorlds, world, type World } from '../../test/fixture/world';
import { makeFirstSlots, nodesWithSlot, slotEffects } from './slot-effects';

afterEach(endWorlds);

const creates = (sql: string) => sql.includes('pg_create_physical_replication_slot');
const drops = (sql: string) => sql.includes('pg_drop_replication_slot');

/** A Master of term 6 whose members are `a`, `b` (itself) and `c`; its PostgreSQL has the slots of `there`. */
async function master(there: { name: string; lost: boolean }[]): Promise<World> {
  const w = world();
  w.set(w.parts.keys.members, { members: ['a', 'b', 'c'].map(address) });
  await w.look();
  w.postgres.reply = (sql) => (creates(sql) || drops(sql) ? [] : there);
  return w;
}

const keep = (w: World, create: string[], drop: string[]) =>
  slotEffects(w.parts).keepSlots({ type: 'keepSlots', create, drop });

describe('replication slots', () => {
  it('are made for the other members in one statement, and then seen', async () => {
    const there = [{ name: 'ha_6_a', lost: false }];
    const w = await master(there);
    await makeFirstSlots(w.parts, 6);
    expect(w.postgres.asked.filter(creates)).toHaveLength(1);
    expect(w.observation().slots).toMatchObject({ known: true, value: there });
    expect(w.pokes).toBeGreaterThan(0);
  });

  it('that cannot be made are no obstacle to a promotion', async () => {
    const w = await master([]);
    w.postgres.reply = () => Promise.reject(new Error('all replication slots are in use'));
    await makeFirstSlots(w.parts, 6);
    expect(w.observation().slots.known).toBe(false);
    expect(w.log.of('slots.failed')).toMatchObject([{ why: 'all replication slots are in use' }]);
  });

  it('are dropped before others are made: there may be no room for both', async () => {
    const there = [{ name: 'ha_5_a', lost: false }];
    const w = await master(there);
    w.postgres.reply = (sql) => {
      if (drops(sql)) there.pop();
      if (creates(sql)) there.push({ name: 'ha_6_a', lost: false });
      return creates(sql) || drops(sql) ? [] : [...there];
    };
    await keep(w, ['ha_6_a'], ['ha_5_a']);
    const changes = w.postgres.asked.filter((sql) => creates(sql) || drops(sql));
    expect(changes.map(drops)).toEqual([true, false]);
    expect(w.log.of('slots.changed')).toMatchObject([{ created: ['ha_6_a'], dropped: ['ha_5_a'] }]);
  });

  it.each([
    ['refused', () => Promise.reject(new Error('all replication slots are in use')), 1],
    ['in vain', () => [], 0],
  ] as const)('are left in peace for a while when a change was %s', async (_how, answer, warnings) => {
    const w = await master([{ name: 'ha_5_a', lost: false }]);
    const { reply } = w.postgres;
    w.postgres.reply = (sql) => (creates(sql) ? answer() : reply(sql));
    const pauses: number[] = [];
    w.parts.clock.pause = (ms) => {
      pauses.push(ms);
      return Promise.resolve();
    };
    await keep(w, ['ha_6_a'], []);
    expect(pauses).toEqual([2000]);
    expect(w.log.of('slots.failed')).toHaveLength(warnings);
    expect(w.log.of('slots.changed')).toEqual([]);
  });

  it('are told to the members that may use theirs: of this term, and with its WAL', async () => {
    const w = await master([]);
    const tell = (...slots: { name: string; lost: boolean }[]) => {
      w.parts.facts.slots = { known: true, value: slots, seenAt: 0 };
      return nodesWithSlot(w.parts, 6);
    };
    expect(tell({ name: 'ha_6_a', lost: false }, { name: 'ha_6_c', lost: true })).toEqual(['a']);
    expect(tell({ name: 'ha_5_a', lost: false })).toEqual([]);
  });
});
