import { Event, EventQueue } from './event-queue';

const event = (at: number, order: number): Event => new Event(at, order, () => undefined);

describe('events', () => {
  it('come by time, and at the same time in the order in which they were added', () => {
    const queue = new EventQueue();
    const added = [5, 1, 3, 1, 4, 1, 5, 9, 2, 6].map((at, order) => event(at, order));
    for (const one of added) queue.add(one);
    const taken = added.map(() => queue.take(100));
    expect(taken).toEqual([...added].sort((a, b) => a.at - b.at || a.order - b.order));
    expect(queue.take(100)).toBeNull();
  });

  it('stay where they are until their time, and do not come once they are cancelled', () => {
    const queue = new EventQueue();
    const [first, second] = [event(10, 0), event(20, 1)];
    queue.add(second);
    queue.add(first);
    expect(queue.take(9)).toBeNull();
    first.cancel();
    expect(queue.take(15)).toBeNull();
    expect(queue.take(20)).toBe(second);
  });

  it('that are cancelled are not kept until their time, and those that are left come in their order', () => {
    const queue = new EventQueue();
    const kept: Event[] = [];
    for (let order = 0; order < 20_000; order += 1) {
      const one = event(1000 + ((order * 7919) % 1000), order);
      queue.add(one);
      if (order % 200 === 0) kept.push(one);
      else one.cancel();
      expect(queue.size).toBeLessThan(600);
    }
    const taken = kept.map(() => queue.take(3000));
    expect(taken).toEqual([...kept].sort((a, b) => a.at - b.at || a.order - b.order));
    expect(queue.take(3000)).toBeNull();
  });
});
