import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { NODES, SyncModel, type Node } from './testing/sync-model';

/** One thing that happens. Whatever comes between two steps of the controller is an interruption of what it had begun. */
type Event = (model: SyncModel) => void;

const node = fc.constantFrom<Node>(...NODES);
const wish = fc.record({
  mode: fc.constantFrom('quorum' as const, 'quorum' as const, 'sync' as const, 'async' as const),
  k: fc.constantFrom(1, 1, 2, 3),
  durability: fc.constantFrom('strict' as const, 'available' as const),
});

const told = (name: string, event: Event): Event => Object.assign(event, { toString: () => name });
const on = (name: string, event: (model: SyncModel, node: Node) => void) =>
  node.map((one) => told(`${name} ${one}`, (model) => event(model, one)));

const event: fc.Arbitrary<Event> = fc.oneof(
  { weight: 5, arbitrary: fc.constant(told('commit', (model) => model.commit())) },
  { weight: 6, arbitrary: on('replicate', (model, one) => model.replicate(one)) },
  { weight: 4, arbitrary: on('connect', (model, one) => model.connect(one)) },
  { weight: 2, arbitrary: on('disconnect', (model, one) => model.disconnect(one)) },
  { weight: 4, arbitrary: on('reload', (model, one) => model.reload(one)) },
  { weight: 1, arbitrary: fc.constant(told('reload checkpointer', (model) => model.reloadCheckpointer())) },
  { weight: 5, arbitrary: fc.constant(told('apply setting', (model) => model.applySetting())) },
  { weight: 9, arbitrary: fc.constant(told('step', (model) => model.step())) },
  { weight: 1, arbitrary: fc.constant(told('lost step', (model) => model.step(true))) },
  { weight: 1, arbitrary: fc.constant(told('restart controller', (model) => model.restartController())) },
  {
    weight: 1,
    arbitrary: fc.subarray([...NODES]).map((all) => told(`fail over ${all.join()}`, (model) => model.failOver(all))),
  },
  {
    weight: 1,
    arbitrary: wish.map((one) => told(`wish ${JSON.stringify(one)}`, (model) => (model.wish = one))),
  },
);

/** The controller decides again and again while these nodes stream, read the setting and confirm everything. */
function goOn(model: SyncModel, rounds: number, nodes: readonly Node[] = NODES): void {
  for (let i = 0; i < rounds; i += 1) {
    for (const one of nodes) model.connect(one);
    model.step();
    model.applySetting();
    for (const one of nodes) {
      model.reload(one);
      model.replicate(one);
    }
  }
}

/** A quorum of one over all Replicas that has settled: the ordinary state from which things happen. */
function settled(): SyncModel {
  const model = new SyncModel();
  goOn(model, 8);
  return model;
}

describe('a change of the synchronous rule', () => {
  it('leaves, at every moment, every acknowledged commit with every set of voters that is enough', () => {
    const counts = { settled: 0, failovers: 0, ended: 0, acknowledged: 0, checkpoints: 0 };
    fc.assert(
      fc.property(fc.boolean(), fc.array(event, { minLength: 20, maxLength: 120 }), (fresh, events) => {
        const model = fresh ? new SyncModel() : settled();
        for (const happens of events) {
          happens(model);
          const violation = model.violation();
          if (violation !== null)
            throw new Error(`after ${String(happens)}: ${violation}; ${JSON.stringify(model.key)}`);
        }
        for (const what of Object.keys(counts) as (keyof typeof counts)[]) counts[what] += model.counts[what];
      }),
      { numRuns: 3000 },
    );
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(100);
  });

  it('reckons with processes of which some have read it: two Replicas may confirm together that no single rule names', () => {
    const model = new SyncModel();
    model.wish = { mode: 'sync', k: 2, durability: 'strict' };
    goOn(model, 8, ['b', 'c']);
    expect(model.key).toMatchObject({ names: ['b', 'c'], previous: null });
    for (const gone of ['b', 'c'] as const) model.disconnect(gone);
    for (const come of ['d', 'e'] as const) model.connect(come);
    model.step();
    expect(model.key?.names).toEqual(['d', 'e']);
    // b is back before the setting has changed, and still counts to two, among whomever any process counts.
    model.connect('b');
    model.applySetting();
    model.reload('d');
    model.commit();
    for (const one of ['d', 'b'] as const) model.replicate(one);
    expect(model.counts.acknowledged).toBe(1);
    expect(model.violation()).toBeNull();
  });

  it('comes to its end, whatever was begun before, once all Replicas stream and confirm', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 80 }), wish, (events, last) => {
        const model = settled();
        for (const happens of events) happens(model);
        model.wish = last;
        goOn(model, 12);
        expect(model.key?.previous ?? null).toBeNull();
        expect(model.step()).toBe('rest');
      }),
      { numRuns: 1000 },
    );
  });
});
