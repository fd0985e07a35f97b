import fc from 'fast-check';
import { formatLsn, type Lsn } from '@ha-postgres/lsn';
import { pictureOf } from './picture';
import type { Reading } from './read/reading';
import { compare, ranked } from './ranking';
import { answered, reading, silent, status } from './testing/samples';

const rowsOf = (...answers: Reading['answers']) => pictureOf(reading({ answers })).nodes;

test('newer terms of data go before longer WAL', () => {
  const nodes = rowsOf(
    answered('a', { dataTerm: 3, lsn: 'F/0' }),
    answered('b', { dataTerm: 4, lsn: '0/1' }),
    answered('c', { dataTerm: 4, lsn: '0/2' }),
  );
  expect(ranked(nodes).map(({ node }) => node)).toEqual(['c', 'b', 'a']);
});

test('neither a node without data nor the last word of one that does not answer is ranked', () => {
  const nodes = rowsOf(answered('a', { dataTerm: 0, lsn: null }), silent('b'), answered('c'));
  expect(ranked(nodes).map(({ node }) => node)).toEqual(['c']);
});

test('the order is one: nobody is newer than a node that is newer than it', () => {
  const any = fc
    .record({ dataTerm: fc.nat(5), at: fc.bigInt({ min: 0n, max: 1n << 40n }) })
    .map(({ dataTerm, at }) => status('x', { dataTerm, lsn: formatLsn(at as Lsn) }));
  fc.assert(
    fc.property(any, any, any, (a, b, c) => {
      expect(Math.sign(compare(a, b))).toBe(-Math.sign(compare(b, a)) + 0);
      if (compare(a, b) >= 0 && compare(b, c) >= 0) expect(compare(a, c)).toBeGreaterThanOrEqual(0);
    }),
  );
});
