import { adviceOf } from '../advice';
import { pictureOf } from '../picture';
import { KEYS, MASTER_ANSWER, answered, entries, entry, reading, silent } from '../testing/samples';
import { statusText } from './status';

const textFor = (change: Parameters<typeof reading>[0] = {}) => {
  const picture = pictureOf(reading(change));
  return statusText(picture, adviceOf(picture));
};

test('a healthy cluster on one page', () => {
  expect(textFor()).toBe(
    `
Master     a, term 4, running, timeline 3, WAL 0/5000100; lease: held, and valid by its own clock
Members    a, b, c
Promoted   a in term 4 at 2026-01-02T03:04:05.678Z: took over from term 3
Paused     no

NODE  ROLE     HEALTH  TERM  TIMELINE  LSN        LAG      BEHIND     STREAMS  COULD TAKE OVER  TAGS
a     Master   ready   4     3         0/5000100  0 bytes  0 bytes
b     Replica  ready   4     3         0/5000000  0 bytes  256 bytes  yes      yes
c     Replica  ready   4     3         0/5000000  0 bytes  256 bytes  yes      yes

LOAD BALANCER  MASTER PORT  STANDBY PORT  STATE
lb0            a            b, c          as the key says (index 100)
`.trim(),
  );
});

test('a lease that is held by a node whose own clock says that it is over', () => {
  const late = { ...MASTER_ANSWER, isValid: false, validWhy: 'past its validity' } as typeof MASTER_ANSWER;
  expect(textFor({ answers: [late] })).toContain('lease: held, but past its validity');
});

test('a load balancer that still leads to the node before', () => {
  expect(textFor({ entries: entries({ master: { node: 'b' } }) })).toContain('older than the key');
});

test('a node that does not answer is shown by its last word in Consul, and said so', () => {
  const text = textFor({
    answers: [MASTER_ANSWER, silent('b'), answered('c', { tags: { noFailover: true, failoverPriority: 7 } })],
  });
  expect(text).toMatch(/^b +Replica +no answer: connection refused/m);
  expect(text).toContain('noFailover, priority 7');
});

test('who gets no readers says so', () => {
  const tags = { noFailover: false, failoverPriority: 0, noLoadBalance: true };
  const answers = [
    answered('b', { tags, whyNoReads: 'tagged noLoadBalance' }),
    answered('c', { whyNoReads: '9 bytes behind' }),
  ];
  const text = textFor({ answers: [MASTER_ANSWER, ...answers] });
  expect(text).toMatch(/^b .*noLoadBalance *$/m);
  expect(text).toMatch(/^c .*no reads *$/m);
});

test('why a node could not take over stands beside the bytes that it is behind', () => {
  const why = 'lags 33554432 bytes behind the last Master; 1048576 are allowed (maximumLagOnFailover)';
  const far = answered('b', { lsn: '0/3000100', takeover: { able: false, why } });
  expect(textFor({ answers: [MASTER_ANSWER, far] })).toMatch(/32 MB +yes +no: lags 33554432 bytes/);
});

test('the synchronous rule, and that commits wait', () => {
  const rule = { mode: 'quorum', k: 1, names: ['b', 'c'] };
  const value = { version: 2, term: 4, ...rule, previous: { mode: 'async', k: 0, names: [] } };
  const said = { ...rule, mode: 'quorum', streaming: [], waiting: true, settled: false, barred: false } as const;
  const text = textFor({
    entries: [...entries(), entry(KEYS.sync, value)],
    answers: [answered('a', { role: 'Master', sync: said }), answered('b'), answered('c')],
  });
  expect(text).toContain(
    'Sync rule  quorum: 1 of b, c confirm, and still async: nobody but the Master confirms; streaming: nobody; COMMITS WAIT',
  );
});

test('what is not known is not made up', () => {
  const text = textFor({ entries: [], consulIsSilent: 'connection refused', answers: [] });
  expect(text).toContain('Master     unknown: Consul does not answer');
  expect(text).toContain('Paused     not known');
});
