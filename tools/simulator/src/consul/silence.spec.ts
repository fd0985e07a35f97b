import { World } from '../world/world';
import { Silence } from './silence';

describe('a silence', () => {
  it('lets what came meanwhile go on when it is over, at a look that each has every 100 ms, and does nothing before', async () => {
    const world = new World(1);
    const silence = new Silence(world);
    const heard: string[] = [];
    const ask = (name: string): void => {
      if (silence.has('n0')) silence.whenOver('n0', () => ask(name));
      else heard.push(`${name} at ${world.now()}`);
    };
    silence.add('n0');
    ask('first');
    world.schedule(30, () => ask('second'));
    world.schedule(5050, () => silence.delete('n0'));
    await world.runUntil(10_000);
    expect(heard).toEqual(['first at 5100', 'second at 5130']);
    expect(world.stepCount).toBe(4);
  });

  it('that begins anew before anybody has looked goes on', async () => {
    const world = new World(1);
    const silence = new Silence(world);
    let isOver = false;
    const ask = (): void => {
      if (silence.has('n0')) silence.whenOver('n0', ask);
      else isOver = true;
    };
    silence.add('n0');
    ask();
    world.schedule(10, () => {
      silence.delete('n0');
      silence.add('n0');
    });
    await world.runUntil(1000);
    expect(isOver).toBe(false);
    silence.delete('n0');
    await world.runUntil(2000);
    expect(isOver).toBe(true);
  });
});
