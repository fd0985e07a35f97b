import { Metrics, createLogger, silentLog, type Log } from '@ha-postgres/service-kit';
import { sampleState } from '../test/fixture/sample-state';
import type { Call, Controller, ControllerAnswer } from './controller-client';
import { Subscription } from './subscription';

/** Answers each question with the next of its answers; then never, until the signal is aborted. */
class ScriptedController implements Controller {
  readonly asked: string[] = [];
  readonly #answers: (ControllerAnswer | Error)[];

  constructor(...answers: (ControllerAnswer | Error)[]) {
    this.#answers = answers;
  }

  ask({ path, signal }: Call): Promise<ControllerAnswer> {
    this.asked.push(path);
    const answer = this.#answers.shift();
    if (answer instanceof Error) return Promise.reject(answer);
    if (answer !== undefined) return Promise.resolve(answer);
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))));
  }
}

const tells = (index: number): ControllerAnswer => ({ status: 200, body: JSON.stringify(sampleState({ index })) });

async function until(condition: () => boolean): Promise<void> {
  for (let tries = 0; !condition(); tries += 1) {
    if (tries > 1_000) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function follow(
  controller: ScriptedController,
  check: (subscription: Subscription) => Promise<void>,
  log: Log = silentLog,
): Promise<void> {
  const stop = new AbortController();
  const subscription = new Subscription({ controller, log, metrics: new Metrics({ processMetrics: false }) });
  const end = subscription.follow(stop.signal);
  try {
    await check(subscription);
  } finally {
    stop.abort();
    await end;
  }
}

describe('the subscription', () => {
  it('asks at once first and then for what comes after', async () => {
    const controller = new ScriptedController(tells(5), tells(6));
    await follow(controller, async (subscription) => {
      await until(() => controller.asked.length === 3);
      expect(controller.asked).toEqual(['/state', '/state?index=5&wait=30s', '/state?index=6&wait=30s']);
      expect(subscription.current.state?.index).toBe(6);
      expect(subscription.isConnected).toBe(true);
    });
  });

  it.each([
    ['is not there', new Error('ECONNREFUSED')],
    ['answers an error', { status: 500, body: 'oops' }],
    ['answers no JSON', { status: 200, body: '<html>' }],
    ['answers something else', { status: 200, body: '{"index":"7"}' }],
  ])('goes on, with the last state, when db-controller %s', async (_, failure) => {
    const controller = new ScriptedController(tells(5), failure, failure, tells(9));
    await follow(controller, async (subscription) => {
      await until(() => subscription.current.state?.index === 5 && !subscription.isConnected);
      await until(() => subscription.current.state?.index === 9);
      expect(subscription.isConnected).toBe(true);
      expect(controller.asked.slice(2, 4)).toEqual(['/state', '/state']);
    });
  });

  it('waits for the first decision of a controller that has decided nothing, which is no loss', async () => {
    const controller = new ScriptedController({ status: 503, body: '{"error":{}}' }, tells(1));
    await follow(controller, async (subscription) => {
      await until(() => controller.asked.length === 3);
      expect(controller.asked).toEqual(['/state', '/state?index=0&wait=30s', '/state?index=1&wait=30s']);
      expect(subscription.isConnected).toBe(true);
    });
  });

  it('takes the state of a controller that counts from lower again', async () => {
    const controller = new ScriptedController(tells(500), tells(3));
    await follow(controller, async (subscription) => {
      await until(() => subscription.current.state?.index === 3);
    });
  });

  it('lets askers wait for the first state whatever index they knew before, and then for the next', async () => {
    const controller = new ScriptedController(new Error('not yet'), tells(5));
    await follow(controller, async (subscription) => {
      const first = await subscription.waitBeyond(999, 60_000, new AbortController().signal);
      expect(first.state?.index).toBe(5);
    });
  });

  it('logs a loss once and a return once, however many tries there were', async () => {
    const events: string[] = [];
    const log = createLogger({
      name: 'x',
      level: 'info',
      destination: { write: (line) => void events.push((JSON.parse(line) as { event: string }).event) },
    });
    const controller = new ScriptedController(tells(5), new Error('1'), new Error('2'), new Error('3'), tells(6));
    await follow(
      controller,
      async (subscription) => {
        await until(() => subscription.current.state?.index === 6);
      },
      log,
    );
    expect(events).toEqual(['controller.connected', 'role.told', 'controller.lost', 'controller.connected']);
  });
});
