import type { SyncRule, SyncValue } from '@ha-postgres/cluster-state';
import type { RejoinInstruction, Upstream } from '@ha-postgres/cluster-state';
import { formatLsn } from '@ha-postgres/lsn';
import type { Action } from '../actions';
import { decide } from '../decide';
import type { Millis, Observation } from '../observation';
import { NOTHING_REMEMBERED, type Decision, type Memory } from '../outcome';
import { Arguments } from './arguments';
import { COMMANDS } from './commands';
import { address, replica } from './observations';

const RULER = '----';

export interface Replayed {
  /** The transcript with what was decided now below each ruler. */
  readonly text: string;
  readonly rules: ReadonlySet<string>;
}

/**
 * Replays a transcript: blocks of commands above a ruler and of decisions below it, apart by an empty line. It is told from
 * node `b`, which begins as a healthy Replica of `a` (term 5). What is published and remembered goes from block to block.
 */
export function replay(text: string): Replayed {
  let o = replica();
  let memory: Memory = { ...NOTHING_REMEMBERED, upstream: { ...address('a'), term: 5 } };
  const rules = new Set<string>();
  const blocks = text
    .trim()
    .split(/\n\n+/)
    .map((block) => {
      const commands = block.split(`\n${RULER}`)[0]?.trimEnd() ?? '';
      const lines = commands.split('\n').filter((line) => !line.startsWith('#') && line !== '');
      if (lines.length === 0) return commands;
      o = lines.reduce(obey, o);
      const decision = decide(o, memory);
      const told = tell(decision, memory, o.now);
      rules.add(decision.rule);
      memory = decision.memory;
      o = publish(o, decision);
      return [commands, RULER, ...told].join('\n');
    });
  return { text: `${blocks.join('\n\n')}\n`, rules };
}

function obey(o: Observation, line: string): Observation {
  const [word = '', ...words] = line.trim().split(/\s+/);
  const command = COMMANDS[word];
  if (command === undefined) throw new RangeError(`no such command: ${line}`);
  const args = new Arguments(line, words, o.now);
  const next = command(o, args);
  args.done();
  return next;
}

/** As db-controller does: a new index for every instruction that differs from the one before. */
function publish(o: Observation, { instruction }: Decision): Observation {
  if (instruction === null) return o;
  if (JSON.stringify(instruction) === JSON.stringify(o.published?.instruction)) return o;
  const instructionIndex = (o.published?.instructionIndex ?? 10) + 1;
  return { ...o, published: { instruction, instructionIndex, since: o.now } };
}

function tell({ rule, role, instruction, actions, memory, wakeAt }: Decision, before: Memory, now: Millis): string[] {
  const wake = wakeAt === null ? [] : [`  looks again in ${wakeAt - now} ms`];
  return [
    rule,
    `  ${role ?? 'no role yet'}: ${instruction === null ? 'nothing published' : tellInstruction(instruction)}`,
    ...actions.map((action) => `  > ${tellAction(action)}`),
    ...tellMemory(memory, before, now),
    ...wake,
  ];
}

function tellInstruction(instruction: NonNullable<Decision['instruction']>): string {
  switch (instruction.kind) {
    case 'follow':
      return `follow ${tellUpstream(instruction.upstream)}${tellNames(instruction)}`;
    case 'rejoin':
      return tellRejoin(instruction);
    case 'lead':
      return `lead term ${instruction.term}${tellNames(instruction)}${instruction.admits === 'replication' ? ', admits only replication' : ''}`;
    case 'stop':
      return `stop (${instruction.mode}): ${instruction.why}`;
    case 'blocked':
    case 'wait':
    case 'initialise':
    case 'wipe':
      return instruction.kind;
  }
}

function tellUpstream(upstream: Upstream | null): string {
  if (upstream === null) return 'nobody';
  const doors = (upstream.via ?? []).map(
    ({ host, port }) => ` through ${host}:${port} by slot ${upstream.slot ?? 'none'}`,
  );
  return `${upstream.node} (term ${upstream.term})${doors.join('')}`;
}

function tellNames({ synchronousStandbyNames: names }: { readonly synchronousStandbyNames?: string }): string {
  return names === undefined ? '' : `, ${names === '' ? 'no commit waits' : names}`;
}

function tellRejoin({ upstream, how, forkLsn, timelines, mayLose, why }: RejoinInstruction): string {
  const since =
    how === 'copy' ? '' : ` from ${forkLsn ?? 'an unknown fork'} (timelines since: ${timelines.join(', ')})`;
  return `rejoin ${upstream.node} (term ${upstream.term}), ${how}${since}${mayLose ? ', may lose' : ''}: ${why}`;
}

function tellAction({ type, ...rest }: Action): string {
  const words = Object.entries(rest).map(([key, value]) => `${key}=${tellValue(value)}`);
  return [type, ...words].join(' ');
}

function tellValue(value: unknown): string {
  if (typeof value === 'bigint') return formatLsn(value as Parameters<typeof formatLsn>[0]);
  if (isSync(value)) return tellSync(value);
  if (!Array.isArray(value)) return String(value);
  return value
    .map((member: { node: string } | number | string) => (typeof member === 'object' ? member.node : member))
    .join(',');
}

function isSync(value: unknown): value is SyncValue {
  return typeof value === 'object' && value !== null && 'previous' in value;
}

function tellSync({ version, previous, covered, ...rule }: SyncValue): string {
  const tell = ({ mode, k, names }: SyncRule) => (mode === 'async' ? 'async' : `${k} of [${names.join(', ')}]`);
  const before = previous === null ? '' : `, and before ${tell(previous)}`;
  return `version ${version}: ${tell(rule)}${before}${covered === true ? '; has all that was acknowledged' : ''}`;
}

function tellMemory(memory: Memory, before: Memory, now: Millis): string[] {
  const told: string[] = [];
  if (memory.ending !== before.ending) told.push(memory.ending === null ? 'the hold is over' : 'ends the hold');
  if (memory.standBackUntil !== before.standBackUntil) told.push(`stands back for ${memory.standBackUntil - now} ms`);
  if (memory.passedOver.join() !== before.passedOver.join())
    told.push(`let go first already: ${memory.passedOver.join(', ') || 'nobody'}`);
  return told.map((line) => `  * ${line}`);
}
