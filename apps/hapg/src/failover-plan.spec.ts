import { planFailover } from './failover-plan';
import { KEYS, answered, entries, entry, reading, silent, status } from './testing/samples';

const noMaster = (...answers: Parameters<typeof planFailover>[0]['answers']) =>
  reading({ entries: entries({ session: null }), answers });

test('names the term that ran last, also where others have held the lock since without running', () => {
  expect(planFailover(noMaster(answered('b')), 'b')).toMatchObject({ afterTerm: 4 });
  const last = { node: 'a', term: 4, timeline: 3, lsn: '0/5000100' };
  const held = reading({
    entries: entries({ session: 's', master: { term: 9, phase: 'waiting', last } }),
    answers: [answered('b')],
  });
  expect(planFailover(held, 'b')).toMatchObject({ afterTerm: 4 });
});

test('names a term that the history tells, though the key says waiting again', () => {
  const last = { node: 'b', term: 3, timeline: 2, lsn: '0/5000100' };
  const master = { phase: 'waiting', last } as const;
  const told = reading({ entries: entries({ session: null, master }), answers: [answered('b')] });
  expect(planFailover(told, 'b')).toMatchObject({ afterTerm: 4 });
});

test('says what is given up, and who would give up less', () => {
  const plan = planFailover(noMaster(answered('b', { lsn: '0/4000100' }), answered('c')), 'b');
  expect('says' in plan ? plan.says.join('\n') : '').toMatch(/at least 16 MB of WAL[^]*c is less behind: 256 bytes/);
});

test('is not kept back by the last word of a node that is gone: what Consul had lost then it may know by now', () => {
  const lastWord = entry(KEYS.status('c'), status('c', { consulWentBack: 'gone' }));
  const given = reading({
    entries: [...entries({ session: null }), lastWord],
    answers: [answered('b'), silent('c')],
  });
  expect(planFailover(given, 'b')).toMatchObject({ afterTerm: 4 });
});

test('says of a DeadMaster that all is given up that was written since', () => {
  const plan = planFailover(noMaster(answered('b', { role: 'DeadMaster' })), 'b');
  expect('says' in plan ? plan.says.join('\n') : '').toMatch(/b is a DeadMaster: .* all that this wrote is given up/);
});

test.each<[string, Parameters<typeof planFailover>[0], RegExp]>([
  ['while a Master runs', reading(), /a runs as Master of term 4: hapg switchover --to b/],
  ['a node that does not answer', noMaster(silent('b')), /b does not answer/],
  ['a node that nobody knows', noMaster(answered('c')), /no node "b" is known/],
  ['where Consul has lost its memory', noMaster(answered('b', { consulWentBack: 'gone' })), /hapg bootstrap/],
  [
    'where no Master ever ran',
    reading({
      entries: entries({ session: null, master: { phase: 'waiting' } }).filter(({ key }) => key !== KEYS.history),
      answers: [answered('b')],
    }),
    /no Master has ever run/,
  ],
  [
    'while paused',
    reading({
      entries: [...entries({ session: null }), entry(KEYS.pause, { id: '1', by: 'x', why: '' })],
      answers: [answered('b')],
    }),
    /hapg resume/,
  ],
])('refuses %s', (_, given, why) => {
  expect((planFailover(given, 'b') as { refused?: string }).refused).toMatch(why);
});
