import { consulContract } from '../../test/consul-contract';
import { FakeConsul } from './fake-consul';
import { VirtualClock } from './virtual-clock';

const clock = new VirtualClock();
const consul = new FakeConsul(clock);

consulContract('the Consul in memory', {
  client: () => consul.client(),
  run: async (work) => {
    let over = false;
    const ended = work.finally(() => (over = true));
    ended.catch(() => undefined);
    for (let ms = 0; ms < 10_000; ms += 1) {
      await clock.advance(1);
      if (over) break;
    }
    return ended;
  },
});
