import { becomesWholeOrWaits } from './convergence';
import { masterDies, whole } from './testing';

const stays = () => undefined;

describe('a cluster in which one fault stands', () => {
  it('is whole without the node that is away', async () => {
    const cluster = await whole(3, () => true);
    const away = masterDies(cluster);
    expect(await becomesWholeOrWaits(cluster, { away, isGone: true, end: stays })).toMatchObject({ how: 'whole' });
    expect(cluster.lastHolder).not.toBe(away);
  });

  it('that waits for a person is let wait no longer than shows anything: until the lock is free, and a while', async () => {
    const cluster = await whole(2, (name) => name === 'n0');
    const { world, consul, keys, coverage } = cluster;
    const away = masterDies(cluster);
    const diedAt = world.now();
    const why = 'nobody that is left may take over';
    expect(await becomesWholeOrWaits(cluster, { away, isGone: true, end: stays })).toEqual({ how: 'waits', why });
    expect(consul.fake.store.get(keys.master)?.session).toBeNull();
    expect(world.now() - diedAt).toBeLessThan(40_000);
    expect([...coverage.waits]).toEqual([[why, 1]]);
  });
});
