import { setTimeout as delay } from 'node:timers/promises';
import { logOf, type LogLine } from '../log-of';
import { faultCluster } from './fault-cluster';

const HOUR_S = 3_600;
/** Longer than any lease and session, so that what was to come of it has come. */
const A_WHILE_MS = 20_000;

const MINUTE_MS = 60_000;

const clocks = faultCluster({ clocks: true });

for (const { variant, half, seconds } of [
  { variant: 'the Master’s, forward', half: 'quick', seconds: HOUR_S },
  { variant: 'the Master’s, backward', half: 'long', seconds: -HOUR_S },
] as const) {
  clocks.row(32, { half, variant, runs: 1, mayLoseUnsent: true }, async (fault) => {
    const { cluster, load, term, master } = fault;
    fault.afterwards(() => cluster.setClock(master.name, 0));
    await fault.strike(() => {
      cluster.setClock(master.name, seconds);
      return Promise.resolve();
    });
    await delay(A_WHILE_MS);
    await fault.writesGoOn();
    const fences = new Set(load.history.promotions.map((promotion) => promotion.term).filter((one) => one > term));
    expect(fences.size).toBeLessThanOrEqual(1);
    const lines = logOf(cluster, `${master.name}/db-controller`);
    expect(nearestTo(Date.now() + seconds * 1_000, lines)).toBeLessThan(MINUTE_MS);
  });
}

/** How far the nearest line of a log is from a moment: whether the service saw the clock that was set for it. */
function nearestTo(moment: number, lines: readonly LogLine[]): number {
  return Math.min(...lines.map(({ time = '' }) => Math.abs(Date.parse(time) - moment)).filter(Number.isFinite));
}
