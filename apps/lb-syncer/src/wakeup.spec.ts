import { Wakeup } from './wakeup';

const FOREVER_MS = 2 ** 31 - 1;

describe('Wakeup', () => {
  it('ends a sleep that has begun, and the next one if nobody sleeps', async () => {
    const wakeup = new Wakeup();
    const { signal } = new AbortController();
    const sleeping = wakeup.sleep(FOREVER_MS, signal);
    wakeup.ring();
    expect(await sleeping).toBe(true);
    wakeup.ring();
    expect(await wakeup.sleep(FOREVER_MS, signal)).toBe(true);
  });

  it('forgets a ring once it has woken somebody', async () => {
    const wakeup = new Wakeup();
    wakeup.ring();
    await wakeup.sleep(FOREVER_MS, new AbortController().signal);
    expect(await wakeup.sleep(1, new AbortController().signal)).toBe(false);
  });

  it('ends when aborted, before or while sleeping', async () => {
    const controller = new AbortController();
    const sleeping = new Wakeup().sleep(FOREVER_MS, controller.signal);
    controller.abort();
    expect(await sleeping).toBe(false);
    expect(await new Wakeup().sleep(FOREVER_MS, controller.signal)).toBe(false);
  });
});
