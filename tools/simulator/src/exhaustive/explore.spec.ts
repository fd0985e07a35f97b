import { CONFIGURATIONS } from './configurations';
import { explore, firstState, workshopFor } from './explore';
import { brokenIn } from './invariants';
import { ONE } from './testing';

test.each(CONFIGURATIONS.map((configuration) => [configuration.name, configuration] as const))(
  '%s: nothing is wrong in the first steps, and they are the same each time',
  async (_name, configuration) => {
    const [one, other] = [await explore({ ...configuration, depth: 3 }), await explore({ ...configuration, depth: 3 })];
    expect(one.found).toBeNull();
    expect(one).toMatchObject({ depth: 3, isComplete: false, states: other.states, steps: other.steps });
    expect(one.states).toBeGreaterThan(50);
  },
);

test('two that can acknowledge writes are found, and one that no deadline fences', () => {
  const configuration = ONE;
  const state = firstState(configuration, workshopFor(configuration));
  const [a, b] = state.nodes as [(typeof state.nodes)[number], (typeof state.nodes)[number]];
  const writable = { ...b, runner: { ...b.runner, postgres: 'writable' as const } };
  expect(brokenIn(state)).toBeNull();
  expect(brokenIn({ ...state, nodes: [a, writable] })).toBe('a and b can acknowledge writes at the same time');
  const stopped = { ...a, runner: { ...a.runner, postgres: 'stopped' as const } };
  expect(brokenIn({ ...state, nodes: [stopped, writable] })).toContain('no deadline will fence it');
});
