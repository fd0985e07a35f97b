import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  parseFailsafeAnswer,
  parseFailsafeRequest,
  parseHistory,
  parseInitialize,
  parseLbStatus,
  parseMaster,
  parseMembers,
  parseNodeStatus,
  parseOverride,
  parsePause,
  parseRejoin,
  parseRole,
  parseRunnerReport,
  parseSwitchover,
  parseSync,
  parseVoteAnswer,
  parseVoteRequest,
  type Parsed,
} from './schemas';
import { ADDRESS, LB_STATUS, MASTER, PROMOTION, REPORT, STATUS, VOTE } from './testing/samples';

type Parse = (input: string) => Parsed<unknown>;

const valid: readonly (readonly [string, Parse, object])[] = [
  ['master', parseMaster, MASTER],
  ['master', parseMaster, { ...MASTER, last: null, successor: 'pg-1' }],
  ['initialize', parseInitialize, { node: 'pg-0', systemId: null }],
  ['initialize', parseInitialize, { node: 'pg-0', systemId: '7000000000000000001' }],
  ['members', parseMembers, { members: [ADDRESS] }],
  ['history', parseHistory, { promotions: [PROMOTION] }],
  ['status', parseNodeStatus, STATUS],
  ['status', parseNodeStatus, { ...STATUS, role: null, timeline: null, lsn: null, lagBytes: null, runnerPhase: null }],
  ['lb status', parseLbStatus, LB_STATUS],
  ['pause', parsePause, { id: '1', by: 'me', why: 'maintenance' }],
  ['rejoin', parseRejoin, { id: '1', by: 'me' }],
  ['switchover', parseSwitchover, { id: '1', from: 'pg-0', to: null }],
  ['sync', parseSync, { version: 3, term: 7, mode: 'quorum', k: 1, names: ['pg-1', 'pg-2'], previous: null }],
  [
    'sync',
    parseSync,
    { version: 3, term: 7, mode: 'sync', k: 0, names: [], previous: { mode: 'async', k: 0, names: [] } },
  ],
  ['override', parseOverride, { id: '1', node: 'pg-1', afterTerm: 7, by: 'me', why: 'the others are lost' }],
  ['runner report', parseRunnerReport, REPORT],
  ['runner report', parseRunnerReport, { ...REPORT, armed: null, progress: null, error: { code: 'E', message: 'm' } }],
  ['vote request', parseVoteRequest, { term: 8, candidate: 'pg-0' }],
  ['vote answer', parseVoteAnswer, VOTE],
  ['failsafe request', parseFailsafeRequest, { term: 8, holder: 'pg-0' }],
  ['failsafe answer', parseFailsafeAnswer, { node: 'pg-1', term: 8, agree: true, why: 'yes' }],
];

const DIVERGENCE = {
  ...{ term: 7, fromLsn: '0/5000000', toLsn: '0/5000200', commits: 1, transactions: [740] },
  ...{ relations: ['1663/5/16384'], keptAt: null, why: null },
};

const SEEN = { epoch: 1, term: 8, termNode: 'pg-1', syncVersion: 3, modifyIndex: 9000, wentBack: null };

it.each<[string, Parse, object]>([
  ['master', parseMaster, { ...MASTER, slots: ['pg-1'] }],
  ['master', parseMaster, { ...MASTER, syncVersion: 3 }],
  ['vote answer', parseVoteAnswer, { ...VOTE, seen: SEEN }],
  ['vote answer', parseVoteAnswer, { ...VOTE, seen: { ...SEEN, termNode: '', wentBack: 'its index' } }],
  ['status', parseNodeStatus, { ...STATUS, rejoin: null, divergence: DIVERGENCE }],
  ['status', parseNodeStatus, { ...STATUS, rejoin: 'why', divergence: null }],
  [
    'rejoin',
    parseRejoin,
    { id: '1', by: 'me', gives: { fromLsn: '0/1', toLsn: null, commits: null, transactions: [] } },
  ],
  ['report', parseRunnerReport, { ...REPORT, rejoined: { term: 7, how: 'copied' }, divergence: null, walGone: 'gone' }],
  [
    'report',
    parseRunnerReport,
    { ...REPORT, rejoined: null, divergence: { ...DIVERGENCE, commits: null, toLsn: null } },
  ],
])('%s may say what an older version does not know', (_name, parse, value) => {
  expect(parse(JSON.stringify(value))).toEqual({ ok: true, value });
});

it.each<[Parse, object]>([
  [parseMaster, { ...MASTER, slots: 'pg-1' }],
  [parseMaster, { ...MASTER, syncVersion: -1 }],
  [parseVoteAnswer, { ...VOTE, seen: { ...SEEN, modifyIndex: undefined } }],
  [parseNodeStatus, { ...STATUS, divergence: { ...DIVERGENCE, commits: -1 } }],
  [parseRunnerReport, { ...REPORT, rejoined: { term: 7, how: 'somehow' } }],
])('what it says is checked all the same', (parse, value) => {
  expect(parse(JSON.stringify(value)).ok).toBe(false);
});

describe.each(valid)('%s', (name, parse, value) => {
  it('reads back what was written', () => {
    expect(parse(JSON.stringify(value))).toEqual({ ok: true, value });
  });

  it('allows properties that a newer version may add', () => {
    expect(parse(JSON.stringify({ ...value, addedLater: { x: 1 } })).ok).toBe(true);
  });

  it('names the property that is missing', () => {
    for (const property of Object.keys(value)) {
      const rest = Object.fromEntries(Object.entries(value).filter(([key]) => key !== property));
      const parsed = parse(JSON.stringify(rest));
      expect(parsed.ok ? '' : parsed.why).toContain(`'${property}'`);
    }
  });

  it('names the property that is wrong', () => {
    for (const property of Object.keys(value)) {
      const parsed = parse(JSON.stringify({ ...value, [property]: { not: 'this' } }));
      expect(parsed.ok ? '' : parsed.why).toContain(`${name}/${property} `);
    }
  });

  it('takes what is no JSON, or no object, for unreadable', () => {
    for (const input of ['', '{', 'null', '[]', '1', '"text"']) expect(parse(input).ok).toBe(false);
    const parsed = parse('{');
    expect(parsed.ok ? '' : parsed.why).toContain(`${name} is not JSON`);
  });
});

describe('what is refused', () => {
  const changed = (value: object, change: object) => JSON.stringify({ ...value, ...change });

  it.each<[Parse, string, string]>([
    [parseMaster, changed(MASTER, { term: 0 }), 'master/term must be >= 1'],
    [parseMaster, changed(MASTER, { term: 1e300 }), 'master/term must be <= 9007199254740991'],
    [parseMaster, changed(MASTER, { term: 1.5 }), 'master/term must be integer'],
    [parseMaster, changed(MASTER, { phase: 'asleep' }), 'master/phase must be equal to one of the allowed values'],
    [parseMaster, changed(MASTER, { lsn: '0/123456789' }), 'master/lsn must match pattern'],
    [parseMaster, changed(MASTER, { port: 0 }), 'master/port must be >= 1'],
    [parseMaster, changed(MASTER, { port: 65536 }), 'master/port must be <= 65535'],
    [parseMaster, changed(MASTER, { host: '' }), 'master/host must NOT have fewer than 1 characters'],
    [parseMaster, changed(MASTER, { node: 'x'.repeat(64) }), 'master/node must NOT have more than 63 characters'],
    [parseMaster, changed(MASTER, { last: { ...MASTER.last, lsn: 'G/0' } }), 'master/last/lsn must match pattern'],
    [parseInitialize, changed({ node: 'a' }, { systemId: '-1' }), 'initialize/systemId must match pattern'],
    [parseMembers, changed({}, { members: Array(65).fill(ADDRESS) }), 'must NOT have more than 64 items'],
    [parseHistory, changed({}, { promotions: [{ ...PROMOTION, term: -1 }] }), 'history/promotions/0/term must be >= 0'],
    [parseNodeStatus, changed(STATUS, { role: 'Leader' }), 'status/role must be equal to one of the allowed values'],
    [
      parseRunnerReport,
      changed(REPORT, { armed: { ...REPORT.armed, validUntil: '1e9' } }),
      'armed/validUntil must match',
    ],
    [parseVoteRequest, changed({ candidate: 'a' }, { term: 0 }), 'vote request/term must be >= 1'],
  ])('%# is named', (parse, input, why) => {
    const parsed = parse(input);
    expect(parsed.ok ? 'accepted' : parsed.why).toContain(why);
  });

  it('is all told at once', () => {
    const parsed = parseMaster(changed(MASTER, { term: 0, port: 0 }));
    expect(parsed).toMatchObject({ ok: false, why: 'master/port must be >= 1, master/term must be >= 1' });
  });
});

describe('a role', () => {
  it.each(['Master', 'Replica', 'DeadMaster'])('%s is read from plain text', (role) => {
    expect(parseRole(`${role}\n`)).toEqual({ ok: true, value: role });
  });

  it.each(['', 'master', 'Leader', '"Master"', 'Master Replica'])('%j is none, and named', (input) => {
    const parsed = parseRole(input);
    expect(parsed.ok ? '' : parsed.why).toContain(JSON.stringify(input));
  });
});

describe('whatever comes from outside', () => {
  const parsers: readonly Parse[] = [...new Set(valid.map(([, parse]) => parse)), parseRole];

  it('is read or refused with a reason, and never thrown at the reader', () => {
    const isAnswer = (parsed: Parsed<unknown>) => parsed.ok || parsed.why.length > 0;
    const everyParser = (input: string) => parsers.every((parse) => isAnswer(parse(input)));
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), everyParser), { numRuns: 500 });
  });

  it('may be a valid value with anything in one place: what is read has that place right', () => {
    const broken = fc
      .constantFrom(...valid)
      .chain(([, parse, value]) =>
        fc
          .record({ property: fc.constantFrom(...Object.keys(value)), instead: fc.jsonValue() })
          .map(({ property, instead }) => parse(JSON.stringify({ ...value, [property]: instead }))),
      );
    let refused = 0;
    fc.assert(
      fc.property(broken, (parsed) => {
        if (!parsed.ok) refused += 1;
        return parsed.ok || parsed.why.length > 0;
      }),
      { numRuns: 500 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});
