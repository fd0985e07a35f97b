import { consulContract } from '../../test/consul-contract';
import { FakeConsul } from './fake-consul';
import { VirtualClock } from './virtual-clock';

const clock = new VirtualClock();
const consul = new FakeConsul(clock);

consulContract('the Consul in memory', {
  client: () => consul.client(),
  run: async (work) => {
    const waiting = { over: false };
    const end = (): void => void (waiting.over = true);
    work.then(end, end);
    for (let ms = 0; ms < 10_000 && !waiting.over; ms += 1) await clock.advance(1);
    return work;
  },
});
