import { remembered } from './caught-by';

describe('the seeds that found a mutation', () => {
  const names = ['a', 'b'];

  it('are tried from the last that did on, and are no more than five', () => {
    const before = { a: [1, 2, 3, 4, 5] };
    expect(remembered(before, new Map([['a', 9]]), names)).toEqual({ a: [9, 1, 2, 3, 4] });
    expect(remembered(before, new Map([['a', 3]]), names)).toEqual({ a: [3, 1, 2, 4, 5] });
  });

  it('are kept where none was found now, and forgotten with their mutation', () => {
    expect(remembered({ a: [1], gone: [2] }, new Map([['b', 4]]), names)).toEqual({ a: [1], b: [4] });
  });
});
