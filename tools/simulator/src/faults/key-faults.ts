import type { Cluster } from '../run/cluster';
import type { Fault } from './context';

/** What a Master writes again when it finds it, and an administrator otherwise. */
const OWNED = ['sync', 'sync', 'members', 'history'] as const;

/** What stood last in a key before it was spoilt: whoever mends it puts that back, and not what stood there before an earlier time. */
const readable = new WeakMap<Cluster, Map<string, string>>();

/** Somebody removes a key, or writes over it what nobody can read; without a Master an administrator mends it. */
const keyGarbled: Fault = ({ cluster, random, world, during }) => {
  const { consul, keys } = cluster;
  const key = keys[random.pick(OWNED)];
  const before = consul.fake.store.get(key);
  if (before === null || before.value === GARBAGE || !random.chance(0.3)) return false;
  const values = readable.get(cluster) ?? new Map<string, string>();
  readable.set(cluster, values.set(key, before.value));
  const isRemoved = key === keys.sync && random.chance(0.3);
  world.tell('admin', () => `FAULT     ${isRemoved ? 'removes' : 'garbles'} ${key}`);
  consul.write(isRemoved ? { verb: 'delete', key } : { verb: 'set', key, value: GARBAGE });
  during(random.between(1000, 4000), () => {
    const now = consul.fake.store.get(key);
    // Whoever takes over by a list that is newer than the last beat would skip that beat's lease: `hapg bootstrap` is for that.
    if (key === keys.members) return;
    const value = values.get(key) ?? before.value;
    if (now === null || now.value === GARBAGE) consul.write({ verb: 'set', key, value });
  });
  return true;
};

const GARBAGE = '{';

export const keyFaults = { keyGarbled } satisfies Record<string, Fault>;
