import type { Divergence } from '@ha-postgres/cluster-state';
import { describe as saying } from './rejoin-rules';

const DIVERGENCE: Divergence = {
  term: 6,
  fromLsn: '0/5000000',
  toLsn: '0/5000200',
  commits: 1,
  transactions: [740],
  relations: ['1663/5/16384'],
  keptAt: null,
  why: null,
};

test('what would be lost is told by count, range, transactions and relations', () => {
  expect(saying(DIVERGENCE)).toBe(
    'it holds 1 commit between 0/5000000 and 0/5000200 of its WAL that term 6 lacks (transaction 740; relations 1663/5/16384)',
  );
  expect(saying({ ...DIVERGENCE, commits: 3, transactions: [740, 741], relations: [] })).toBe(
    'it holds 3 commits between 0/5000000 and 0/5000200 of its WAL that term 6 lacks (transactions 740, 741, …)',
  );
});

test('what is not known is said to be unknown, and why', () => {
  expect(saying({ ...DIVERGENCE, commits: null, toLsn: null, why: 'the WAL is gone' })).toBe(
    'it is not known which commits it holds between 0/5000000 and the end of its WAL that term 6 lacks (the WAL is gone)',
  );
});
