import { MachineTime } from './machine-time';
import { SimProcess } from './sim-process';
import { World } from './world';

function machine(rate = 1): { world: World; time: MachineTime; process: SimProcess; heard: string[] } {
  const world = new World(1);
  const time = new MachineTime(world, rate, 1000);
  return { world, time, process: new SimProcess('p', world, time), heard: [] };
}

describe('a process', () => {
  it('hears its timers by the clock of its machine, which runs at a rate of its own', async () => {
    const { world, process, heard } = machine(2);
    process.clock.schedule(100, () => heard.push(`at ${process.clock.now()}`));
    await world.runUntil(49);
    expect(heard).toEqual([]);
    await world.runUntil(51);
    expect(heard).toEqual(['at 1100']);
  });

  it('that is frozen hears everything in order when it is thawed, and nothing of what was taken back', async () => {
    const { world, process, heard } = machine();
    process.freeze();
    process.clock.schedule(10, () => heard.push('first'));
    const timer = process.clock.schedule(20, () => heard.push('taken back'));
    world.schedule(30, () => process.deliver(() => heard.push('an answer')));
    await world.runUntil(50);
    expect(heard).toEqual([]);
    timer.cancel();
    process.thaw();
    process.deliver(() => heard.push('later'));
    await world.runUntil(50);
    expect(heard.slice(-2)).toEqual(['first', 'an answer']);
  });

  it('that is dead hears nothing any more', async () => {
    const { world, process, heard } = machine();
    process.clock.schedule(10, () => heard.push('a timer'));
    process.kill();
    process.deliver(() => heard.push('an answer'));
    await world.runUntil(50);
    expect(heard).toEqual([]);
  });

  it('has timers that wait as long as its clock stands still', async () => {
    const { world, time, process, heard } = machine();
    process.clock.schedule(100, () => heard.push('now'));
    await world.runUntil(50);
    time.stand();
    await world.runUntil(1000);
    expect([time.now(), heard]).toEqual([1050, []]);
    time.goOn(950, true);
    expect(time.wallNow() - time.now()).toBeCloseTo(1_700_000_000_000 - 1000 + 950);
    await world.runUntil(1060);
    expect(heard).toEqual(['now']);
  });
});

describe('a world', () => {
  it('lets everything that follows from an event in promises happen before the next event', async () => {
    const world = new World(1);
    const heard: string[] = [];
    world.schedule(1, () => {
      void Promise.resolve()
        .then(() => Promise.resolve())
        .then(() => Promise.resolve())
        .then(() => heard.push('follows'));
    });
    world.schedule(1, () => heard.push('next'));
    await world.runUntil(2);
    expect(heard).toEqual(['follows', 'next']);
  });

  it('lets time pass for whoever waits for the last trillionth of a millisecond', async () => {
    const world = new World(1);
    await world.runUntil(50_000);
    // A machine that has just been started tells times more finely than a world that is old.
    const process = new SimProcess('p', world, new MachineTime(world, 1, 1000));
    const heard: string[] = [];
    const until = process.clock.now() + 1e-12;
    const again = (): void => {
      if (process.clock.now() < until) process.clock.schedule(until - process.clock.now(), again);
      else heard.push('over');
    };
    again();
    await world.runUntil(50_001);
    expect([heard, world.violations]).toEqual([['over'], []]);
  });

  it('refuses to go round in circles at one moment', async () => {
    const world = new World(7);
    const again = (): void => void world.schedule(0, again);
    again();
    await world.runUntil(1);
    expect(world.violations).toMatchObject([{ what: 'time stands still' }]);
  });
});
