import { EventEmitter } from 'node:events';
import { Lifecycle } from './lifecycle';
import { createLogger } from './log';

interface Run {
  readonly lifecycle: Lifecycle;
  readonly events: EventEmitter;
  readonly exit: Promise<number>;
  readonly logged: string[];
}

function start(stopTimeoutMs = 60_000): Run {
  const logged: string[] = [];
  const destination = { write: (line: string) => void logged.push((JSON.parse(line) as { event: string }).event) };
  let exited: (code: number) => void = () => undefined;
  const exit = new Promise<number>((resolve) => (exited = resolve));
  const lifecycle = new Lifecycle(createLogger({ name: 'x', level: 'info', destination }), stopTimeoutMs, (code) =>
    exited(code),
  );
  const events = new EventEmitter();
  lifecycle.watchProcess(events);
  return { lifecycle, events, exit, logged };
}

describe('a service that ends', () => {
  it.each(['SIGTERM', 'SIGINT'])('on %s aborts its signal, stops last things first and exits 0', async (signal) => {
    const { lifecycle, events, exit, logged } = start();
    const order: string[] = [];
    lifecycle.onStop(() => void order.push('first'));
    lifecycle.onStop(async () => {
      await Promise.resolve();
      order.push('second');
    });
    events.emit(signal, signal);
    expect(lifecycle.signal.aborted).toBe(true);
    events.emit(signal, signal);
    await expect(exit).resolves.toBe(0);
    expect(order).toEqual(['second', 'first']);
    expect(logged).toEqual(['app.stopping', 'app.stopped']);
  });

  it.each(['uncaughtException', 'unhandledRejection'])('on %s stops everything too and exits 70', async (event) => {
    const { lifecycle, events, exit, logged } = start();
    const order: string[] = [];
    lifecycle.onStop(() => void order.push('stopped'));
    events.emit(event, new Error('boom'));
    await expect(exit).resolves.toBe(70);
    expect(order).toEqual(['stopped']);
    expect(logged).toContain('app.failed');
  });

  it('stops the other parts when one fails to, and exits 1', async () => {
    const { lifecycle, exit, logged } = start();
    const order: string[] = [];
    lifecycle.onStop(() => void order.push('first'));
    lifecycle.onStop(() => {
      throw new Error('will not');
    });
    lifecycle.stop('SIGTERM');
    await expect(exit).resolves.toBe(1);
    expect(order).toEqual(['first']);
    expect(logged).toContain('app.stop_failed');
  });

  it('does not wait for ever: exits 1, or 70 when it had failed', async () => {
    const stuck = start(5);
    stuck.lifecycle.onStop(() => new Promise(() => undefined));
    stuck.lifecycle.stop('SIGTERM');
    await expect(stuck.exit).resolves.toBe(1);
    expect(stuck.logged).toContain('app.stop_timeout');
    const failed = start(5);
    failed.lifecycle.onStop(() => new Promise(() => undefined));
    failed.lifecycle.fail(new Error('boom'));
    await expect(failed.exit).resolves.toBe(70);
  });

  it('keeps its first reason when it fails while it stops', async () => {
    const { lifecycle, exit, logged } = start();
    lifecycle.onStop(() => lifecycle.fail(new Error('late')));
    lifecycle.stop('SIGTERM');
    await expect(exit).resolves.toBe(0);
    expect(logged).toContain('app.failed');
  });

  it('stops at once what is opened while it stops', async () => {
    const { lifecycle, exit } = start();
    const order: string[] = [];
    lifecycle.onStop(() => lifecycle.onStop(() => void order.push('opened late')));
    lifecycle.stop('SIGTERM');
    await exit;
    lifecycle.onStop(() => void order.push('opened later still'));
    expect(order).toEqual(['opened late', 'opened later still']);
  });
});
