import type { RunnerReport } from '@ha-postgres/cluster-state';
import type { RunnerParts } from '@ha-postgres/postgres-runner/runner';
import type { SimProcess } from '../world/sim-process';
import { call } from './calls';
import type { SimNode } from './node';

const WAIT_MS = 30_000;
const POST_TIMEOUT_MS = 500;
const UNDECIDED_MS = 100;
const NO_NEWS_MIN_MS = 500;
const FIRST_BACK_OFF_MS = 50;
const LAST_BACK_OFF_MS = 1000;

/** How a runner asks its role-server, with the waiting and backing off of the real client. */
export function runnerClient(node: SimNode, process: SimProcess): RunnerParts['client'] {
  const { clock } = process;
  let next: RunnerReport | null = null;
  let posting: Promise<void> | null = null;
  const hop = (): number => node.random.between(0.05, 0.4);
  const to = (): SimProcess | null => node.roleServerProcess;
  const ask = <T>(limitMs: number, serve: () => Promise<T> | T): Promise<T> =>
    call({ world: node.world, from: process, to, there: hop, back: hop, limitMs, serve });

  const pollOnce = async ({
    index,
    onAnswer,
  }: Parameters<RunnerParts['client']['poll']>[0]): Promise<number | null> => {
    const began = clock.now();
    try {
      const answer = await ask(WAIT_MS + 5000, () => node.roleServer?.role(index()) ?? null);
      if (answer === null) return clock.now() - began < UNDECIDED_MS ? UNDECIDED_MS : 0;
      if (onAnswer(answer)) return 0;
      return clock.now() - began < NO_NEWS_MIN_MS ? FIRST_BACK_OFF_MS : 0;
    } catch {
      return null;
    }
  };

  const postAll = async (): Promise<void> => {
    for (let report = next; report !== null; report = next) {
      next = null;
      const said = report;
      await ask(POST_TIMEOUT_MS, () => node.roleServer?.report(said)).catch(() => undefined);
    }
  };

  return {
    poll: async (listener) => {
      let failures = 0;
      while (process.isAlive) {
        const pauseMs = await pollOnce(listener);
        failures = pauseMs === null ? failures + 1 : 0;
        const waitMs = pauseMs ?? Math.min(LAST_BACK_OFF_MS, FIRST_BACK_OFF_MS * 2 ** Math.min(failures - 1, 10));
        if (waitMs > 0) await clock.pause(waitMs);
      }
    },
    post: (report) => {
      next = report;
      posting ??= postAll().finally(() => (posting = null));
    },
    flush: async () => {
      await posting;
    },
    close: () => undefined,
  };
}
