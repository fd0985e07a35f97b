import { merged } from './merged';

test('objects are merged, everything else is replaced', () => {
  const below = { db: { size: 3, image: 'a', list: [1, 2] }, lb: { size: 2 } };
  const above = { db: { image: 'b', list: [3] }, consul: { size: 1 } };
  expect(merged(below, above)).toEqual({
    db: { size: 3, image: 'b', list: [3] },
    lb: { size: 2 },
    consul: { size: 1 },
  });
});

test('what is given twice is not changed', () => {
  const below = { db: { size: 3 } };
  merged(below, { db: { size: 5 } });
  expect(below).toEqual({ db: { size: 3 } });
});
