import { setTimeout as delay } from 'node:timers/promises';
import { logOf, type LogLine } from '../log-of';
import { faultCluster } from './fault-cluster';

const HOUR_S = 3_600;
/** Longer than any lease and session, so that what was to come of it has come. */
const A_WHILE_MS = 20_000;

const MINUTE_MS = 60_000;

const clocks = faultCluster({ clocks: true });

for (const { variant, half, whose, seconds } of [
  { variant: 'the Master’s, forward', half: 'quick', whose: 'master', seconds: HOUR_S },
  { variant: 'a Replica’s, back', half: 'long', whose: 'replica', seconds: -HOUR_S },
] as const) {
  clocks.row(32, { half, variant, runs: 1, mayLoseUnsent: true }, async (fault) => {
    const { cluster, load, term } = fault;
    const { name } = fault[whose];
    await fault.strike(() => {
      cluster.setClock(name, seconds);
      return Promise.resolve();
    });
    await delay(A_WHILE_MS);
    await fault.writesGoOn();
    const fences = new Set(load.history.promotions.map((promotion) => promotion.term).filter((one) => one > term));
    expect(fences.size).toBeLessThanOrEqual(whose === 'master' ? 1 : 0);
    expect(nearestTo(Date.now() + seconds * 1_000, logOf(cluster, `${name}/db-controller`))).toBeLessThan(MINUTE_MS);
  });
}

/** How far the nearest line of a log is from a moment: whether the service saw the clock that was set for it. */
function nearestTo(moment: number, lines: readonly LogLine[]): number {
  return Math.min(...lines.map(({ time = '' }) => Math.abs(Date.parse(time) - moment)).filter(Number.isFinite));
}
