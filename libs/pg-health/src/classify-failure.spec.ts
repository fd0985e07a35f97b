import fc from 'fast-check';
import { classifyFailure, sqlStateOf } from './classify-failure';
import { FAILURE_MEANINGS, ServerFailure, hasServerAnswered, type FailureKind } from './failure-kind';

const fromPostgres = (code: string, message: string): Error =>
  Object.assign(new Error(message), { code, severity: 'FATAL' });
const fromSystem = (code: string, syscall = 'connect'): Error =>
  Object.assign(new Error(`${syscall} ${code}`), { code, syscall, errno: -1 });

describe('classifyFailure', () => {
  it.each<[string, string, FailureKind]>([
    ['57P03', 'the database system is starting up', 'starting-up'],
    ['57P03', 'the database system is shutting down', 'shutting-down'],
    ['57P03', 'the database system is in recovery mode', 'recovering'],
    ['57P03', 'the database system is not yet accepting connections', 'recovering'],
    ['57P03', 'the database system is not accepting connections', 'recovering'],
    ['57P03', 'Das Datenbanksystem startet', 'starting-up'],
    ['53300', 'sorry, too many clients already', 'too-many-connections'],
    ['28P01', 'password authentication failed for user "app"', 'authentication'],
    ['28000', 'no pg_hba.conf entry for host "10.0.0.1"', 'authentication'],
    ['57P01', 'terminating connection due to administrator command', 'lost'],
    ['57P02', 'terminating connection because of crash of another server process', 'lost'],
    ['57P05', 'terminating connection due to idle-session timeout', 'lost'],
    ['08006', 'connection failure', 'lost'],
    ['3D000', 'database "nope" does not exist', 'other'],
    ['57014', 'canceling statement due to statement timeout', 'other'],
  ])('reads SQLSTATE %s "%s" as %s', (code, message, kind) => {
    expect(classifyFailure(fromPostgres(code, message))).toBe(kind);
    expect(sqlStateOf(fromPostgres(code, message))).toBe(code);
  });

  it.each<[Error, FailureKind]>([
    [fromSystem('ECONNREFUSED'), 'refused'],
    [fromSystem('ENOENT'), 'refused'],
    [fromSystem('ECONNRESET', 'read'), 'lost'],
    [fromSystem('EPIPE', 'write'), 'lost'],
    [fromSystem('ETIMEDOUT'), 'timeout'],
    [fromSystem('ETIMEDOUT', 'read'), 'lost'],
    [fromSystem('EHOSTUNREACH'), 'timeout'],
    [fromSystem('ENOTFOUND', 'getaddrinfo'), 'other'],
    [new Error('Connection terminated unexpectedly'), 'lost'],
    [new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a non-empty string'), 'authentication'],
    [new AggregateError([fromSystem('ECONNREFUSED'), fromSystem('ECONNREFUSED')], ''), 'refused'],
    [new ServerFailure('hung', 'no answer'), 'hung'],
    [new Error('The server does not support SSL connections'), 'other'],
  ])('reads %p as %s', (error, kind) => {
    expect(classifyFailure(error)).toBe(kind);
  });

  it('does not take a system code of five letters for an SQLSTATE', () => {
    const error = fromSystem('EPIPE', 'write');
    expect(sqlStateOf(error)).toBeUndefined();
    expect(classifyFailure(error)).toBe('lost');
  });

  it('knows a kind for whatever is thrown, and throws nothing itself', () => {
    fc.assert(fc.property(fc.anything(), (thrown) => classifyFailure(thrown) in FAILURE_MEANINGS));
  });

  it('calls a server alive that refuses us in its own words', () => {
    const kinds = Object.keys(FAILURE_MEANINGS) as FailureKind[];
    expect(kinds.filter(hasServerAnswered)).toEqual([
      'starting-up',
      'recovering',
      'shutting-down',
      'too-many-connections',
      'authentication',
    ]);
  });
});
