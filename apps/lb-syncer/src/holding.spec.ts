import type { MasterValue } from '@ha-postgres/cluster-state';
import fc from 'fast-check';
import { UNTOLD, type ClusterView } from './cluster-view';
import { NOT_HOLDING, nextHold, type HoldMode, type HoldState } from './holding';
import { held, masterValue, view } from './testing/views';

const TIMEOUT_MS = 1000;
const at = (value: MasterValue | null, session: string | null = 's1') => view({ master: held(value, session) });

const running = at(masterValue(0));
const draining = at(masterValue(0, { phase: 'draining', successor: 'pg-1' }));
const released = at(masterValue(0, { phase: 'draining', successor: 'pg-1', released: true }), null);
const waiting = at(masterValue(1, { phase: 'waiting' }), 's2');
const promoting = at(masterValue(1, { phase: 'promoting' }), 's2');
const promoted = at(masterValue(1), 's2');
const died = at(masterValue(0, { phase: 'draining', released: true }), null);

/** The states that a story leads through, a view every 100 ms. */
function through(mode: HoldMode, ...views: readonly ClusterView[]): HoldState['kind'][] {
  let state: HoldState = NOT_HOLDING;
  return views.map((one, i) => (state = nextHold(state, one, mode, i * 100, TIMEOUT_MS)).kind);
}

describe('new clients wait', () => {
  it('in a switchover, from when its Master drains until the next one runs', () => {
    expect(through('switchover', running, draining, released, waiting, promoting, promoted)).toEqual([
      'none',
      ...Array<string>(4).fill('holding'),
      'none',
    ]);
  });

  it('also when this process begins in the middle of one', () => {
    expect(through('switchover', released, waiting, promoted)).toEqual(['holding', 'holding', 'none']);
  });

  it('not when a Master has died, unless they always do', () => {
    expect(through('switchover', running, died, waiting, promoted)).toEqual(Array(4).fill('none'));
    expect(through('always', running, died, waiting, promoted)).toEqual(['none', 'holding', 'holding', 'none']);
  });

  it('never if they are not to', () => {
    expect(through('never', running, draining, released, waiting, promoted)).toEqual(Array(5).fill('none'));
  });

  it('for the time that is set at most, and then not again before a Master has run', () => {
    const long = Array<ClusterView>(12).fill(waiting);
    const kinds = through('switchover', draining, ...long, released, promoted, draining);
    expect(kinds.slice(0, 10)).toEqual(Array(10).fill('holding'));
    expect(kinds.slice(10)).toEqual(['over', 'over', 'over', 'over', 'none', 'holding']);
  });

  it('not because nothing has been told yet', () => {
    expect(through('always', view({ master: UNTOLD }))).toEqual(['none']);
  });

  it('never while a Master runs, and never longer than the time that is set', () => {
    const views = [running, draining, released, waiting, promoting, promoted, died, view({ master: UNTOLD })];
    const story = fc.array(fc.tuple(fc.constantFrom(...views), fc.nat(600)), { maxLength: 12 });
    let holding = 0;
    fc.assert(
      fc.property(story, fc.constantFrom<HoldMode>('switchover', 'always'), (steps, mode) => {
        let state: HoldState = NOT_HOLDING;
        let now = 0;
        for (const [one, ms] of steps) {
          now += ms;
          state = nextHold(state, one, mode, now, TIMEOUT_MS);
          if (state.kind !== 'holding') continue;
          holding += 1;
          expect([running, promoted]).not.toContain(one);
          expect(now - state.since).toBeLessThan(TIMEOUT_MS);
        }
      }),
    );
    expect(holding).toBeGreaterThan(50);
  });
});
