import { endWorlds, world } from '../../test/fixture/world';
import { effectsOf } from './effects';

afterEach(endWorlds);

describe('a term that another took', () => {
  /** Node `b` has taken term 6 by what Consul says, and is told of `term`. */
  async function told(term: number, highestTermNode: string | null = 'b') {
    const w = world();
    w.parts.disk.update({ highestTerm: 6, highestTermNode });
    await effectsOf(w.parts).recordForeignTerm({ type: 'recordForeignTerm', term, modifyIndex: null, syncVersion: 0 });
    return w.diskAgain();
  }

  it('is remembered as not this node’s, where the key says that it is', async () => {
    expect((await told(6)).record).toMatchObject({ highestTerm: 6, highestTermNode: '' });
  });

  it.each(['c', null])('keeps the holder that was seen of it: %p', async (holder) => {
    expect((await told(6, holder)).record).toMatchObject({ highestTerm: 6, highestTermNode: holder });
  });

  it('is remembered without a holder where it is newer: Consul may yet say who that was, and that nothing went back', async () => {
    const disk = await told(8);
    expect(disk.record).toMatchObject({ highestTerm: 8, highestTermNode: null });
    disk.saw(8, 200, 'c');
    expect(disk.record).toMatchObject({ highestTerm: 8, highestTermNode: 'c' });
  });

  it('is on disk with the index and the rule of which a member told', async () => {
    const w = world();
    w.parts.disk.update({ highestTerm: 6, highestTermNode: 'b', highestModifyIndex: 100 });
    const told = { term: 0, modifyIndex: 150, syncVersion: 4 };
    await effectsOf(w.parts).recordForeignTerm({ type: 'recordForeignTerm', ...told });
    const record = { highestTerm: 6, highestTermNode: 'b', highestModifyIndex: 150, highestSyncVersion: 4 };
    expect(w.diskAgain().record).toMatchObject(record);
  });

  it('says nothing where it is older than what was seen', async () => {
    expect((await told(5)).record).toMatchObject({ highestTerm: 6, highestTermNode: 'b' });
  });
});
