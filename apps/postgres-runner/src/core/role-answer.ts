import {
  ROLES,
  type Admits,
  type Door,
  type RoleAnswer,
  type RunnerInstruction,
  type Upstream,
} from '@ha-postgres/cluster-state';

export type ReadAnswer =
  { readonly ok: true; readonly answer: RoleAnswer } | { readonly ok: false; readonly why: string };

type Fields = Record<string, unknown>;

class Unreadable extends Error {}

function fail(what: string, value: unknown): never {
  throw new Unreadable(`${what} is ${value === undefined ? 'missing' : JSON.stringify(value)}`);
}

function record(what: string, value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : fail(what, value);
}

function text(what: string, value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : fail(what, value);
}

function natural(what: string, value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : fail(what, value);
}

function port(what: string, value: unknown): number {
  const number = natural(what, value);
  return number >= 1 && number <= 65_535 ? number : fail(what, value);
}

function nanos(what: string, value: unknown): string {
  return typeof value === 'string' && /^\d{1,19}$/.test(value) ? value : fail(what, value);
}

function lsn(what: string, value: unknown): string {
  return typeof value === 'string' && /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i.test(value) ? value : fail(what, value);
}

function door(what: string, value: unknown): Door {
  const fields = record(what, value);
  return { host: text(`${what}.host`, fields.host), port: port(`${what}.port`, fields.port) };
}

function doors(what: string, value: unknown): Door[] {
  return Array.isArray(value) ? value.map((one) => door(what, one)) : fail(what, value);
}

function upstream(what: string, value: unknown): Upstream {
  const fields = record(what, value);
  return {
    node: text(`${what}.node`, fields.node),
    host: text(`${what}.host`, fields.host),
    port: port(`${what}.port`, fields.port),
    apiPort: port(`${what}.apiPort`, fields.apiPort),
    term: natural(`${what}.term`, fields.term),
    ...(fields.via === undefined ? {} : { via: doors(`${what}.via`, fields.via) }),
    ...(fields.slot === undefined ? {} : { slot: text(`${what}.slot`, fields.slot) }),
  };
}

function rejoin(fields: Fields): RunnerInstruction {
  const { how, forkLsn, leftTimeline, timelines, mayLose } = fields;
  return {
    kind: 'rejoin',
    upstream: upstream('instruction.upstream', fields.upstream),
    how: how === 'examine' || how === 'copy' ? how : fail('instruction.how', how),
    dataTerm: natural('instruction.dataTerm', fields.dataTerm),
    forkLsn: forkLsn === null ? null : lsn('instruction.forkLsn', forkLsn),
    leftTimeline: leftTimeline === null ? null : natural('instruction.leftTimeline', leftTimeline),
    timelines: Array.isArray(timelines)
      ? timelines.map((one) => natural('instruction.timelines', one))
      : fail('instruction.timelines', timelines),
    mayLose: typeof mayLose === 'boolean' ? mayLose : fail('instruction.mayLose', mayLose),
    ...(fields.isStray === true ? { isStray: true } : {}),
    why: typeof fields.why === 'string' ? fields.why : '',
  };
}

function standbyNames(value: unknown): { synchronousStandbyNames?: string } {
  if (value === undefined) return {};
  return typeof value === 'string'
    ? { synchronousStandbyNames: value }
    : fail('instruction.synchronousStandbyNames', value);
}

function admits(value: unknown): { admits?: Admits } {
  if (value === undefined) return {};
  return value === 'everyone' || value === 'replication' ? { admits: value } : fail('instruction.admits', value);
}

function instruction(value: unknown): RunnerInstruction {
  const fields = record('instruction', value);
  const why = () => (typeof fields.why === 'string' ? fields.why : '');
  switch (fields.kind) {
    case 'wait':
    case 'initialise':
    case 'wipe':
      return { kind: fields.kind };
    case 'follow':
      return {
        kind: 'follow',
        upstream: fields.upstream === null ? null : upstream('instruction.upstream', fields.upstream),
        ...standbyNames(fields.synchronousStandbyNames),
      };
    case 'rejoin':
      return rejoin(fields);
    case 'lead':
      return {
        kind: 'lead',
        term: natural('instruction.term', fields.term),
        ...standbyNames(fields.synchronousStandbyNames),
        ...admits(fields.admits),
      };
    case 'stop': {
      const mode = fields.mode;
      return mode === 'fast' || mode === 'immediate'
        ? { kind: 'stop', mode, why: why() }
        : fail('instruction.mode', mode);
    }
    case 'blocked':
      return { kind: 'blocked', why: why() };
    default:
      return fail('instruction.kind', fields.kind);
  }
}

function answerOf(fields: Fields): RoleAnswer {
  const role = ROLES.find((name) => name === fields.role);
  return {
    index: natural('index', fields.index),
    bootId: text('bootId', fields.bootId),
    node: text('node', fields.node),
    role: role ?? fail('role', fields.role),
    validUntil: nanos('validUntil', fields.validUntil),
    term: natural('term', fields.term),
    instruction: instruction(fields.instruction),
    // Only for people: the runner takes every address it uses from the instruction.
    master: fields.master === null || fields.master === undefined ? null : upstream('master', fields.master),
  };
}

/** Reads the JSON of `GET /controller/role`. An answer that cannot be read is no answer: deadlines go on running. */
export function readRoleAnswer(body: string): ReadAnswer {
  try {
    return { ok: true, answer: answerOf(record('the answer', JSON.parse(body))) };
  } catch (error) {
    if (error instanceof Unreadable || error instanceof SyntaxError) return { ok: false, why: error.message };
    throw error;
  }
}
