import { pause } from './pause';

describe('pause', () => {
  it('ends by itself', async () => {
    await pause(1);
  });

  it('ends at once when it is aborted, before or meanwhile', async () => {
    const stop = new AbortController();
    const pausing = pause(3_600_000, stop.signal);
    stop.abort();
    await pausing;
    await pause(3_600_000, stop.signal);
  });
});
