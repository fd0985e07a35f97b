import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { AskerGone } from './asker-gone';
import { Published } from './published';

/** A response whose end the test decides. */
function response(): { gone: AskerGone; close: (writableFinished: boolean) => void } {
  const emitter = Object.assign(new EventEmitter(), { writableFinished: false });
  const close = (writableFinished: boolean): void => {
    emitter.writableFinished = writableFinished;
    emitter.emit('close');
  };
  return { gone: AskerGone.of(emitter as unknown as ServerResponse), close };
}

describe('an asker', () => {
  it('is gone when its connection closes before the answer was written', async () => {
    const { gone, close } = response();
    const published = new Published({ index: 1 });
    const answer = published.waitBeyond(1, 60_000, gone);
    expect(gone.aborted).toBe(false);
    close(false);
    await expect(answer).rejects.toThrow('the asker went away');
    expect(gone.aborted).toBe(true);
    expect(published.waiting).toBe(0);
    await expect(published.waitBeyond(1, 60_000, gone)).rejects.toThrow('the asker went away');
  });

  it('is not gone when it has its answer', () => {
    const { gone, close } = response();
    close(true);
    expect(gone.aborted).toBe(false);
  });

  it('is no longer listened for by who has been answered', async () => {
    const { gone, close } = response();
    const published = new Published({ index: 1 });
    const answer = published.waitBeyond(1, 60_000, gone);
    published.publish({ index: 2 });
    await expect(answer).resolves.toEqual({ index: 2 });
    const removed = jest.fn();
    gone.addEventListener('abort', removed);
    gone.removeEventListener('abort', removed);
    close(false);
    expect(removed).not.toHaveBeenCalled();
  });
});
