import { isSameJson } from './same-json';

const REPORT = { term: 6, armed: { index: 3 }, names: ['a', 'b'], why: null, isWhole: true };

describe('two values', () => {
  it.each([
    ['copies of each other', REPORT, { ...REPORT, armed: { index: 3 }, names: ['a', 'b'] }],
    ['fields in another order', { a: 1, b: 2 }, { b: 2, a: 1 }],
    ['a field that is undefined, and none', { a: 1, b: undefined }, { a: 1 }],
    ['none, and a field that is undefined', { a: 1 }, { a: 1, b: undefined }],
    ['nothing at all', null, null],
    ['the same bigint', { lsn: 3n }, { lsn: BigInt('3') }],
    ['two times that are none', { at: Number.NaN }, { at: Number.NaN }],
  ])('are the same: %s', (_, a, b) => {
    expect(isSameJson(a, b)).toBe(true);
  });

  it.each([
    ['a field deep inside', REPORT, { ...REPORT, armed: { index: 4 } }],
    ['one more field', { a: 1 }, { a: 1, b: 2 }],
    ['one field less', { a: 1, b: 2 }, { a: 1 }],
    ['null, and no field', { a: null }, {}],
    ['null, and an object', { a: null }, { a: {} }],
    ['lists of which one is longer', { a: [1] }, { a: [1, 2] }],
    ['lists in another order', { a: [1, 2] }, { a: [2, 1] }],
    ['a list, and an object', { a: [] }, { a: {} }],
    ['a number, and a text', { a: 1 }, { a: '1' }],
    ['two bigints', { lsn: 3n }, { lsn: 4n }],
  ])('are not: %s', (_, a, b) => {
    expect(isSameJson(a, b)).toBe(false);
    expect(isSameJson(b, a)).toBe(false);
  });
});
