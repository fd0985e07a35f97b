import { until } from '../../test/fixture/clock';
import { endWorlds, world } from '../../test/fixture/world';
import { LookAgain } from './look-again';

afterEach(endWorlds);

const EVERY_MS = 5;

class Counting extends LookAgain {
  looks = 0;
  fails = false;

  protected look(): Promise<void> {
    this.looks += 1;
    return this.fails ? Promise.reject(new Error('nobody answers')) : Promise.resolve();
  }
}

function counting() {
  const w = world();
  return { w, looks: new Counting(w.parts, EVERY_MS, { event: 'test.unknown', text: 'could not look' }) };
}

it('looks at once, and again, until it is stopped', async () => {
  const { w, looks } = counting();
  looks.start();
  expect(looks.looks).toBe(1);
  await until('it has looked again', () => looks.looks > 2);
  looks.stop();
  const before = looks.looks;
  await w.parts.clock.pause(10 * EVERY_MS);
  expect(looks.looks).toBe(before);
});

it('goes on after a look that failed, and says why', async () => {
  const { w, looks } = counting();
  looks.fails = true;
  looks.start();
  await until('it has looked again', () => looks.looks > 1);
  looks.stop();
  expect(w.log.of('test.unknown')[0]).toMatchObject({ level: 'debug', why: 'nobody answers' });
});
