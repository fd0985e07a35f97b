import fc from 'fast-check';
import { readRoleAnswer } from './role-answer';

const upstream = { node: 'm', host: 'h', port: 5432, apiPort: 8080, term: 3 };
const rejoin = {
  kind: 'rejoin',
  upstream,
  how: 'examine',
  dataTerm: 2,
  forkLsn: '0/5000000',
  leftTimeline: 1,
  timelines: [2],
  mayLose: false,
  why: 'forked',
};
const answer = {
  index: 7,
  bootId: 'boot',
  node: 'a',
  role: 'Master',
  validUntil: '9223372036854775807',
  term: 3,
  instruction: { kind: 'lead', term: 3 },
  master: null,
};

test.each([
  { kind: 'wait' },
  { kind: 'initialise' },
  { kind: 'wipe' },
  { kind: 'follow', upstream },
  { kind: 'follow', upstream: null },
  { kind: 'follow', upstream: { ...upstream, slot: 'ha_3_a', via: [{ host: 'lb', port: 5434 }] } },
  { kind: 'follow', upstream: { ...upstream, slot: 'ha_3_a' } },
  rejoin,
  { ...rejoin, how: 'copy', forkLsn: null, timelines: [] },
  { kind: 'follow', upstream, synchronousStandbyNames: 'ANY 1 ("-")' },
  { kind: 'lead', term: 3 },
  { kind: 'lead', term: 3, synchronousStandbyNames: '', admits: 'replication' },
  { kind: 'stop', mode: 'immediate', why: '' },
  { kind: 'blocked', why: 'dead' },
])('reads the instruction %j unchanged', (instruction) => {
  const whole = { ...answer, instruction, master: upstream };
  expect(readRoleAnswer(JSON.stringify(whole))).toEqual({ ok: true, answer: whole });
});

test.each([
  [{ index: -1 }, 'index is -1'],
  [{ index: 1.5 }, 'index is 1.5'],
  [{ role: 'Leader' }, 'role is "Leader"'],
  [{ validUntil: 12 }, 'validUntil is 12'],
  [{ validUntil: '-1' }, 'validUntil is "-1"'],
  [{ bootId: undefined }, 'bootId is missing'],
  [{ instruction: { kind: 'dance' } }, 'instruction.kind is "dance"'],
  [{ instruction: { kind: 'stop', mode: 'smart' } }, 'instruction.mode is "smart"'],
  [{ instruction: { kind: 'follow' } }, 'instruction.upstream is missing'],
  [{ instruction: { kind: 'follow', upstream: { ...upstream, via: 'lb' } } }, 'instruction.upstream.via is "lb"'],
  [
    { instruction: { kind: 'follow', upstream: { ...upstream, via: [{ host: 'lb', port: 0 }] } } },
    'instruction.upstream.via.port is 0',
  ],
  [{ instruction: { kind: 'lead', term: 3, synchronousStandbyNames: 1 } }, 'instruction.synchronousStandbyNames is 1'],
  [{ instruction: { kind: 'lead', term: 3, admits: 'all' } }, 'instruction.admits is "all"'],
  [{ instruction: { ...rejoin, upstream: { ...upstream, port: 0 } } }, 'instruction.upstream.port is 0'],
  [{ instruction: { ...rejoin, how: 'somehow' } }, 'instruction.how is "somehow"'],
  [{ instruction: { ...rejoin, forkLsn: '5' } }, 'instruction.forkLsn is "5"'],
  [{ instruction: { ...rejoin, timelines: 2 } }, 'instruction.timelines is 2'],
  [{ instruction: { ...rejoin, mayLose: undefined } }, 'instruction.mayLose is missing'],
])('refuses %j and names the value', (change, why) => {
  expect(readRoleAnswer(JSON.stringify({ ...answer, ...change }))).toEqual({ ok: false, why });
});

test('whatever comes, it does not throw', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (body) => typeof readRoleAnswer(body).ok === 'boolean'));
});
