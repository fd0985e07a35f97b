import { firstState, workshopFor } from './explore';
import { StateStore } from './state-store';
import { ONE } from './testing';

const configuration = ONE;

test('a state is new once, and comes back as it was', () => {
  const workshop = workshopFor(configuration);
  const store = new StateStore(workshop.parts);
  const first = firstState(configuration, workshop);
  expect([store.add(first, 0, 0), store.add({ ...first, nodes: [...first.nodes] }, 0, 1)]).toEqual([true, false]);
  expect([store.size, store.get(0)]).toEqual([1, first]);
});

test('many states are told apart, and each knows the way to it', () => {
  const workshop = workshopFor(configuration);
  const store = new StateStore(workshop.parts);
  const first = firstState(configuration, workshop);
  const state = (n: number) => ({ ...first, world: workshop.parts.world.one({ ...first.world, highestTerm: n }) });
  const many = 5_000;
  for (let n = 0; n < many; n += 1) expect(store.add(state(n), Math.max(0, n - 1), n)).toBe(true);
  for (let n = 0; n < many; n += 97) expect([store.add(state(n), 0, 0), store.get(n)]).toEqual([false, state(n)]);
  expect(store.pathTo(3)).toEqual([1, 2, 3]);
});
