import { Ajv, type JSONSchemaType, type ValidateFunction } from 'ajv';
import type {
  FailsafeAnswer,
  FailsafeRequest,
  RunnerReport,
  VoteAnswer,
  VoteRequest,
  WalTailAnswer,
  WalTailRequest,
} from './wire';
import {
  ROLES,
  type EpochValue,
  type HistoryValue,
  type InitializeValue,
  type LbStatus,
  type MasterValue,
  type MembersValue,
  type NodeStatus,
  type OverrideValue,
  type PauseValue,
  type RejoinValue,
  type Role,
  type SwitchoverValue,
  type SyncValue,
} from './values';

/** A value read from outside: what it says, or why it cannot be read. Unreadable values are treated as absent, never as a crash. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

const ajv = new Ajv({ allErrors: true, allowUnionTypes: true });

const text = { type: 'string' } as const;
const nodeName = { type: 'string', minLength: 1, maxLength: 63 } as const;
// Beyond that a number plus one is the same number: a term could never be exceeded again.
const natural = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;
const positive = { ...natural, minimum: 1 } as const;
const port = { type: 'integer', minimum: 1, maximum: 65535 } as const;
const flag = { type: 'boolean' } as const;
const lsn = { type: 'string', pattern: '^[0-9A-Fa-f]{1,8}/[0-9A-Fa-f]{1,8}$' } as const;
const nanos = { type: 'string', pattern: '^[0-9]{1,19}$' } as const;
const systemId = { type: 'string', pattern: '^[0-9]{1,20}$' } as const;
const orNull = (schema: object) => ({ anyOf: [{ type: 'null' }, schema] });

/** All named properties are required but those of later versions; unknown ones are allowed: versions can differ during a rolling update. */
const record = (properties: Record<string, object>, optional: Record<string, object> = {}) => ({
  type: 'object',
  required: Object.keys(properties),
  properties: { ...properties, ...optional },
});

const address = { node: nodeName, host: { type: 'string', minLength: 1 }, port, apiPort: port };
const id = { type: 'string', minLength: 1, maxLength: 200 } as const;
const lastMaster = record(
  { node: nodeName, term: natural, timeline: natural, lsn },
  { lsnExact: flag, switchover: record({ id, successor: orNull(nodeName) }) },
);

const masterSchema = record(
  {
    ...address,
    term: positive,
    beat: natural,
    phase: { enum: ['waiting', 'promoting', 'running', 'draining'] },
    timeline: natural,
    lsn,
    lsnExact: flag,
    released: flag,
    successor: orNull(nodeName),
    last: orNull(lastMaster),
  },
  { switchover: id, slots: { type: 'array', items: nodeName }, syncVersion: natural },
);
const initializeSchema = record({ node: nodeName, systemId: orNull(systemId) });
const membersSchema = record({ members: { type: 'array', maxItems: 64, items: record(address) } });
const leftTimelines = { type: 'array', items: record({ timeline: natural, at: lsn }) };
const historySchema = record({
  promotions: {
    type: 'array',
    items: record(
      {
        term: natural,
        parentTerm: natural,
        timeline: natural,
        forkLsn: lsn,
        node: nodeName,
        from: orNull(nodeName),
        why: text,
        at: text,
        tookMs: { type: 'number' },
      },
      { switchover: id, covered: flag, left: leftTimelines },
    ),
  },
});
const divergence = record({
  term: natural,
  fromLsn: orNull(lsn),
  toLsn: orNull(lsn),
  commits: orNull(natural),
  transactions: { type: 'array', items: natural },
  relations: { type: 'array', items: text },
  keptAt: orNull(text),
  why: orNull(text),
});
const statusRequired = {
  ...address,
  role: orNull({ enum: ROLES }),
  rule: text,
  term: natural,
  dataTerm: natural,
  timeline: orNull(natural),
  lsn: orNull(lsn),
  inRecovery: orNull(flag),
  streaming: flag,
  lagBytes: orNull({ type: 'number' }),
  postgresAlive: flag,
  runnerPhase: orNull(text),
  takeover: record({ able: flag, why: text }),
  tags: record({ noFailover: flag, failoverPriority: { type: 'number' } }, { noLoadBalance: flag }),
  lastError: orNull(text),
};
const statusOptional = {
  whyNoReads: orNull(text),
  paused: flag,
  systemId: orNull(systemId),
  highestTerm: natural,
  epoch: natural,
  consulWentBack: orNull(text),
  knownMembers: { type: 'array', maxItems: 64, items: record(address) },
  incarnation: text,
  switchover: record({
    id,
    term: natural,
    state: { enum: ['refused', 'draining', 'released'] },
    successor: orNull(nodeName),
    why: text,
  }),
  rejoin: orNull(text),
  divergence: orNull(divergence),
};
const statusSchema = record(statusRequired, statusOptional);
const lbStatusSchema = record(
  {
    name: text,
    appliedIndex: natural,
    master: orNull(nodeName),
    holding: flag,
    standbys: { type: 'array', items: nodeName },
  },
  { canHold: flag },
);
const SYNC_MODES = ['async', 'sync', 'quorum'] as const;
const syncRule = {
  mode: { enum: SYNC_MODES },
  k: { ...natural, maximum: 64 },
  names: { type: 'array', maxItems: 64, uniqueItems: true, items: nodeName },
};
const syncSchema = record(
  { version: positive, term: positive, ...syncRule, previous: orNull(record(syncRule)) },
  { covered: flag },
);
const overrideSchema = record({ id: text, node: nodeName, afterTerm: natural, by: text, why: text });
const pauseSchema = record({ id: text, by: text, why: text });
const epochSchema = record({ number: positive, from: nodeName, by: text });
const givenUp = record({
  fromLsn: orNull(lsn),
  toLsn: orNull(lsn),
  commits: orNull(natural),
  transactions: { type: 'array', items: natural },
});
const rejoinSchema = record({ id, by: text }, { gives: givenUp });
const switchoverSchema = record({ id, from: nodeName, to: orNull(nodeName) }, { by: text });

const runnerReportSchema = record(
  {
    incarnation: { type: 'string', minLength: 1, maxLength: 100 },
    bootId: text,
    obeysIndex: natural,
    phase: {
      enum: [
        'waiting',
        'initialising',
        'cloning',
        'rejoining',
        'starting',
        'running',
        'stopping',
        'stopped',
        'blocked',
        'exiting',
      ],
    },
    armed: orNull(record({ index: natural, term: natural, validUntil: nanos })),
    stopped: flag,
    postgres: record({
      pid: orNull(natural),
      startedAt: orNull(nanos),
      exit: orNull(record({ code: orNull({ type: 'integer' }), signal: orNull(text), at: nanos, asked: flag })),
      inRecovery: orNull(flag),
    }),
    receivingFrom: orNull(nodeName),
    data: record(
      {
        state: { enum: ['empty', 'initialised', 'unfinished', 'unusable'] },
        systemId: orNull(text),
        fresh: flag,
        timeline: orNull(natural),
        cleanShutdown: flag,
        checkpointLsn: orNull(lsn),
      },
      { timelines: orNull(record({ left: leftTimelines, newest: natural })) },
    ),
    progress: orNull(record({ what: text, percent: orNull({ type: 'number' }) })),
    error: orNull(record({ code: text, message: text })),
  },
  {
    rejoined: orNull(record({ term: natural, how: { enum: ['ancestor', 'rewound', 'copied'] } })),
    divergence: orNull(divergence),
    walGone: orNull(text),
  },
);
const voteRequestSchema = record({ term: positive, candidate: nodeName }, { withinMs: positive });
const seenByMember = record({
  epoch: natural,
  term: natural,
  termNode: orNull(text),
  syncVersion: natural,
  modifyIndex: natural,
  wentBack: orNull(text),
});
const voteAnswerSchema = record(
  {
    node: nodeName,
    term: natural,
    granted: flag,
    why: text,
    dataTerm: natural,
    lsn: orNull(lsn),
    replayed: flag,
    candidate: flag,
    failoverPriority: { type: 'number' },
  },
  { noFailover: flag, seen: seenByMember },
);
const failsafeRequestSchema = record({ term: positive, holder: nodeName });
const walTailRequestSchema = record({
  term: { type: 'integer', minimum: 1 },
  timeline: { type: 'integer', minimum: 1 },
  from: lsn,
  segmentBytes: { type: 'integer', minimum: 1 << 20, maximum: 1 << 30 },
});
const walTailAnswerSchema = record({
  node: nodeName,
  term: natural,
  why: text,
  start: lsn,
  bytes: orNull({ type: 'string', pattern: '^[A-Za-z0-9+/]*={0,2}$' }),
});
const failsafeAnswerSchema = record({ node: nodeName, term: natural, agree: flag, why: text });

function parser<T>(name: string, schema: object): (input: string) => Parsed<T> {
  // Compiled when it is first used: a process reads few of the values, and each validator costs half a megabyte.
  let compiled: ValidateFunction<T> | undefined;
  // A key is read again far more often than it is written: the same text has the same meaning.
  let last: { readonly input: string; readonly parsed: Parsed<T> } | undefined;
  return (input) => {
    if (input !== last?.input) last = { input, parsed: parse(input) };
    return last.parsed;
  };

  function parse(input: string): Parsed<T> {
    const validate = (compiled ??= ajv.compile<T>(schema as JSONSchemaType<T>));
    let value: unknown;
    try {
      value = JSON.parse(input);
    } catch (error) {
      return { ok: false, why: `${name} is not JSON: ${(error as Error).message}` };
    }
    if (validate(value)) return { ok: true, value };
    return { ok: false, why: ajv.errorsText(validate.errors, { dataVar: name }) };
  }
}

export const parseMaster = parser<MasterValue>('master', masterSchema);
export const parseInitialize = parser<InitializeValue>('initialize', initializeSchema);
export const parseMembers = parser<MembersValue>('members', membersSchema);
export const parseHistory = parser<HistoryValue>('history', historySchema);
export const parseNodeStatus = parser<NodeStatus>('status', statusSchema);
export const parseLbStatus = parser<LbStatus>('lb status', lbStatusSchema);
export const parsePause = parser<PauseValue>('pause', pauseSchema);
export const parseEpoch = parser<EpochValue>('epoch', epochSchema);
export const parseRejoin = parser<RejoinValue>('rejoin', rejoinSchema);
export const parseSwitchover = parser<SwitchoverValue>('switchover', switchoverSchema);
export const parseSync = parser<SyncValue>('sync', syncSchema);
export const parseOverride = parser<OverrideValue>('override', overrideSchema);
export const parseRunnerReport = parser<RunnerReport>('runner report', runnerReportSchema);
export const parseVoteRequest = parser<VoteRequest>('vote request', voteRequestSchema);
export const parseVoteAnswer = parser<VoteAnswer>('vote answer', voteAnswerSchema);
export const parseFailsafeRequest = parser<FailsafeRequest>('failsafe request', failsafeRequestSchema);
export const parseFailsafeAnswer = parser<FailsafeAnswer>('failsafe answer', failsafeAnswerSchema);
export const parseWalTailRequest = parser<WalTailRequest>('WAL tail request', walTailRequestSchema);
export const parseWalTailAnswer = parser<WalTailAnswer>('WAL tail answer', walTailAnswerSchema);

/** Key `<node>/role` holds the role as plain text. */
export function parseRole(input: string): Parsed<Role> {
  const role = ROLES.find((name) => name === input.trim());
  return role === undefined
    ? { ok: false, why: `role is none of ${ROLES.join(', ')}: ${JSON.stringify(input)}` }
    : { ok: true, value: role };
}
