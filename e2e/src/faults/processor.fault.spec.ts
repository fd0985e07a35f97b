import { spawn, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './fault';
import { faultCluster } from './fault-cluster';

const LOOPS_PER_PROCESSOR = 8;
const STARVED_MS = 10_000;
/** So long nobody else becomes Master when everybody has a processor again. */
const QUIET_MS = 10_000;

const processor = faultCluster();

processor.row(38, { half: 'quick', mayLoseUnsent: true }, async (fault) => {
  const running: ChildProcess[] = [];
  try {
    await fault.strike(() => {
      for (let count = LOOPS_PER_PROCESSOR * availableParallelism(); count > 0; count -= 1)
        running.push(spawn('/bin/sh', ['-c', 'while :; do :; done'], { stdio: 'ignore' }));
      return Promise.resolve();
    });
    await delay(STARVED_MS);
  } finally {
    await fault.mend(() => {
      for (const loop of running) loop.kill('SIGKILL');
      return Promise.resolve();
    });
  }
  await fault.writesGoOn();
  const before = terms(fault);
  expect(before.length).toBeLessThanOrEqual(1);
  await delay(QUIET_MS);
  expect(terms(fault)).toEqual(before);
});

/** Those in which somebody became Master since the fault. */
function terms({ load, term }: Fault): number[] {
  return [...new Set(load.history.promotions.map((promotion) => promotion.term))].filter((one) => one > term);
}
