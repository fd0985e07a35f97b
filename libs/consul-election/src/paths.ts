import type { Clock, Timer } from './clock';

export interface PathsOptions {
  /** In order of preference; the values that `via` takes. */
  readonly paths: readonly string[];
  /** How long the first path may stay silent until the others are asked too. A failure of the first asks them at once. */
  readonly hedgeAfterMs: number;
  readonly clock: Clock;
  /** Called once, when the other paths are about to be asked. */
  readonly onHedge?: () => void;
}

/** With many servers, asking three of them is enough: a request reaches the leader from each. */
const SECOND_PATHS_MAX = 3;

/**
 * The first answer over several paths to Consul: the agent, and when it is silent the servers, so that the agent is no
 * single point of failure. Attempts that run on are left alone: their answers may still be of use to `attempt`.
 * @throws what the last path threw, when all failed.
 */
export function firstAnswer<T>(options: PathsOptions, attempt: (via: string) => Promise<T>): Promise<T> {
  const [first = 'agent', ...rest] = options.paths;
  const others = rest.slice(0, SECOND_PATHS_MAX);
  return new Promise((resolve, reject) => {
    let running = 0;
    let timer: Timer | null = null;
    let left = others;
    const failed = (error: unknown): void => {
      running -= 1;
      if (left.length > 0) askOthers();
      // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- the attempt's own error, passed on
      else if (running === 0) reject(error);
    };
    const ask = (via: string): void => {
      running += 1;
      attempt(via).then((answer) => {
        timer?.cancel();
        left = [];
        resolve(answer);
      }, failed);
    };
    const askOthers = (): void => {
      timer?.cancel();
      const now = left;
      left = [];
      options.onHedge?.();
      now.forEach(ask);
    };
    ask(first);
    if (others.length > 0) timer = options.clock.schedule(options.hedgeAfterMs, askOthers);
  });
}
