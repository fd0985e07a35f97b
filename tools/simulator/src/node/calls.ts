import type { SimProcess } from '../world/sim-process';
import type { World } from '../world/world';

/** A call that got no answer. */
export class CallFailed extends Error {}

export interface Call<T> {
  readonly world: World;
  readonly from: SimProcess;
  /** Asked when the call arrives: who is there by then. */
  readonly to: () => SimProcess | null;
  /** Milliseconds there and back, asked when each sets out; null: it does not get through. */
  readonly there: () => number | null;
  readonly back: () => number | null;
  readonly limitMs: number;
  readonly serve: () => Promise<T> | T;
}

/** One process calls another: what HTTP over TCP does, with its connection refused, broken, or silent. */
export function call<T>({ world, from, to, there, back, limitMs, serve }: Call<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    let isOver = false;
    let forget: () => void = () => undefined;
    const settle = (then: () => void): void => {
      if (isOver) return;
      isOver = true;
      limit.cancel();
      forget();
      then();
    };
    const fail = (why: string): void => settle(() => reject(new CallFailed(why)));
    const limit = from.clock.schedule(limitMs, () => fail(`no answer within ${limitMs} ms`));
    const sendBack = (then: () => void): void => {
      const ms = back();
      if (ms !== null) world.schedule(ms, () => from.deliver(then));
    };
    const ms = there();
    if (ms === null) return;
    world.schedule(ms, () => {
      const callee = to();
      if (!callee?.isAlive) {
        sendBack(() => fail('refused'));
        return;
      }
      if (isOver) return;
      forget = callee.onExit(() => sendBack(() => fail('broken')));
      callee.deliver(() => {
        Promise.resolve(serve()).then(
          (answer) => sendBack(() => settle(() => resolve(answer))),
          () => sendBack(() => fail('an error')),
        );
      });
    });
  });
}
