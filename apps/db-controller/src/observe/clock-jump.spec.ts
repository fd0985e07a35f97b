import { thisMachine } from '../machine';
import { ClockJump } from './clock-jump';

describe('a jump of wall time against monotonic time', () => {
  let wall: jest.SpyInstance<number>;
  let ahead = 0;

  beforeEach(() => {
    const now = Date.now.bind(Date);
    ahead = 0;
    wall = jest.spyOn(Date, 'now').mockImplementation(() => now() + ahead);
  });
  afterEach(() => wall.mockRestore());

  it('is none while both run', () => {
    const jump = new ClockJump(300, thisMachine().clock);
    expect([jump.look(), jump.look()]).toEqual([false, false]);
  });

  it.each([5000, -5000])('of %d ms is seen until it is forgotten, and then no more', (by) => {
    const jump = new ClockJump(300, thisMachine().clock);
    ahead = by;
    expect([jump.look(), jump.look()]).toEqual([true, true]);
    jump.forget();
    expect(jump.look()).toBe(false);
  });

  it('is none when the clock is only slewed: steps below the margin do not add up', () => {
    const jump = new ClockJump(300, thisMachine().clock);
    for (let i = 0; i < 50; i += 1) {
      ahead += 100;
      expect(jump.look()).toBe(false);
    }
  });
});
