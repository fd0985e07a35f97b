import {
  NOTHING_REMEMBERED,
  decide,
  isCleared,
  lastRunningMaster,
  predecessorEndsAt,
  type Action,
  type Decision,
  type Memory,
} from '@ha-postgres/failover';
import { askFailsafe } from './failsafe';
import { diskOf, leaseOf, leaseRecordOf } from './memory';
import { observationOf } from './observe';
import { obey } from './runner';
import type { Beat, Controller, Hold, Instruction, Name, Node } from './state';
import { FENCE, LEASE, NOW, POLICY, TICK_MS, ahead, toTicks } from './times';
import { textOf } from './values';
import { FRESH, type Work } from './work';

const TURNS_MAX = 8;

/** A node's loop, which turns again after everything that it has done or learnt, until there is nothing more to do. */
export function settle(work: Work): void {
  const { controller } = work.node;
  if (controller === null) return;
  const said: string[] = [];
  for (let turns = 0; turns < TURNS_MAX; turns += 1) {
    const before = JSON.stringify(work.node);
    const rule = turn(work, controller);
    if (rule !== said.at(-1)) said.push(rule);
    if (JSON.stringify(work.node) === before) break;
  }
  work.note(`${work.name} decides: ${said.join(', ')}`);
}

/** observe → decide → act, with the real `decide`. */
function turn(work: Work, controller: Controller): string {
  const { name, node } = work;
  const decision = decide(observationOf(work), memoryOf(controller));
  keepMemory(controller, decision.memory);
  publish(node, controller, decision);
  const done = decision.actions.filter((action) => act(work, controller, action)).map(({ type }) => type);
  remember(name, node, controller);
  obeyAtOnce(name, node);
  return `${decision.rule}${done.length === 0 ? '' : ` (${done.join(', ')})`}`;
}

function memoryOf({ ending, standBackUntil }: Controller): Memory {
  return {
    ...NOTHING_REMEMBERED,
    standBackUntil: standBackUntil === null ? 0 : NOW + standBackUntil * TICK_MS,
    ending:
      ending === null
        ? null
        : {
            ...{ why: '', since: NOW, cleanUntil: NOW, mode: ending.mode, stops: ending.stops },
            ...{ successor: ending.successor, standBackMs: ending.standBack * TICK_MS },
          },
  };
}

function keepMemory(controller: Controller, { ending, standBackUntil }: Memory): void {
  controller.standBackUntil = ahead(toTicks(standBackUntil));
  controller.ending =
    ending === null
      ? null
      : {
          ...{ mode: ending.mode, stops: ending.stops, successor: ending.successor },
          standBack: Math.ceil(ending.standBackMs / TICK_MS),
        };
}

/** As the loop does at its end: after the decision, as a memory that went back is judged against what was seen before. */
function remember(name: Name, node: Node, controller: Controller): void {
  if (controller.master === null) return;
  const { value, index } = controller.master.entry;
  const [holder = '', term = ''] = value.split(',');
  diskOf(name, node).saw(Number(term), index, holder);
}

function instructionFrom({ instruction }: Decision): Instruction | null {
  switch (instruction?.kind) {
    case undefined:
      return null;
    case 'lead':
      return { kind: 'lead', term: instruction.term };
    case 'stop':
      return { kind: 'stop', mode: instruction.mode };
    case 'follow':
      return { kind: 'follow' };
    case 'wait':
      return { kind: 'wait' };
    case 'blocked':
      return { kind: 'blocked' };
    default:
      throw new Error(`an instruction that this model has no word for: ${instruction?.kind ?? ''}`);
  }
}

/** `Loop.publish`: a right that grows is told by a new answer, as is whatever changes the node's doings. */
function publish(node: Node, controller: Controller, decision: Decision): void {
  const instruction = instructionFrom(decision);
  if (instruction === null) return;
  const { published, hold } = controller;
  const end = decision.role === 'Master' && hold !== null ? leaseRecordOf(hold.record).endsAt : null;
  const validUntil = end === null ? null : (toTicks(end) ?? 0) - FENCE;
  const isSame = published !== null && JSON.stringify(published.instruction) === JSON.stringify(instruction);
  if (isSame && published.validUntil === validUntil) return;
  const index = Math.max(published?.index ?? 0, node.runner.answer?.index ?? 0) + 1;
  const since = isSame ? published : { since: 0, instructionIndex: index };
  if (!isSame) controller.ownKill = false;
  controller.published = {
    ...{ instruction, index, validUntil },
    ...{ since: since.since, instructionIndex: since.instructionIndex },
  };
}

/**
 * What a runner without a writable PostgreSQL is told changes nothing for anybody else, and is taken up at once; so is a later
 * deadline, as an earlier one only ends sooner. When it first leads, and when it stops what can write, are steps of their own.
 */
function obeyAtOnce(name: Name, node: Node): void {
  const { runner, controller } = node;
  const told = controller?.published?.instruction;
  const isHarmless = runner.postgres !== 'writable' && runner.postgres !== 'promoting' && told?.kind !== 'lead';
  const isRenewal = told?.kind === 'lead' && runner.armed?.term === told.term;
  if (isHarmless || isRenewal) obey(name, node);
}

/** Carries out an action, or sends what it has to send. False: nothing came of it. */
function act(work: Work, controller: Controller, action: Action): boolean {
  const { name, node } = work;
  const { hold } = controller;
  switch (action.type) {
    case 'acquire':
      return acquire(work, controller, action);
    case 'collectVotes':
      // Who can be asked answers at once, and what it says of its data is the same everywhere.
      controller.votedFor = action.term;
      work.asksVotesFor = action.term;
      return true;
    case 'promote':
      return promote(work, action.term);
    case 'markRunning':
      return markRunning(work, controller, action.term);
    case 'writeMembers': {
      const list = action.members.map(({ node: member }) => member as Name);
      controller.pending = list;
      if (hold === null || controller.members === null) return false;
      controller.writing = 'members';
      sendBeat(work, 'members', { list, over: controller.members.index });
      return true;
    }
    case 'askFailsafe':
      askFailsafe(work, controller, action.term);
      return true;
    case 'release':
      return release(work, controller, action);
    case 'endHold':
      forgetHold(work, controller);
      return true;
    case 'killPostgres':
      node.runner.postgres = 'stopped';
      controller.ownKill = true;
      return true;
    case 'recordDataTerm':
      diskOf(name, node).update({ dataTerm: action.term });
      return true;
    case 'recordDeadMaster':
      diskOf(name, node).update({ deadMaster: true });
      return true;
    case 'recordRejoining':
      diskOf(name, node).update({ rejoining: action.term });
      return true;
    case 'confirmMaster':
    case 'readPostgres':
      // Reads are steps of their own, and what PostgreSQL says is always of this moment.
      return false;
    default:
      throw new Error(`an action that this model has no effect for: ${action.type}`);
  }
}

function acquire(work: Work, controller: Controller, action: Extract<Action, { type: 'acquire' }>): boolean {
  const { name, node } = work;
  const { master, history } = observationOf(work);
  const entry = master.known ? master.value.entry : null;
  if (entry?.modifyIndex !== action.decidedOn || controller.members === null) return false;
  // What comes after is another exploration's.
  if (action.term > work.bounds.termMax) return false;
  if (node.vow !== null) work.never(`${name} acquires although its promise (failsafe) still binds it`);
  const session = `${name}${action.term}`;
  const last = entry.value === null ? null : lastRunningMaster(entry.value, history.known ? history.value : null);
  const held = {
    ...{ term: action.term, session, phase: 'waiting' as const },
    waitUntil: isCleared(entry) ? null : ahead(toTicks(predecessorEndsAt(entry, POLICY))),
    predecessor: { node: entry.value?.node ?? 'unknown', term: entry.value?.term ?? 0 },
    last: { node: last?.node ?? 'unknown', term: last?.term ?? 0 },
    parentTerm: node.disk.dataTerm,
  };
  // On disk first: a controller that dies after the commit finds the session again.
  node.disk.hold = held;
  controller.acquiring = true;
  work.opened.push(session);
  work.sent.push({
    ...{ kind: 'acquire', node: name, session, sentAt: 0, result: null, takeOver: action.takeOver },
    ...{ decidedOn: action.decidedOn, members: controller.members.index },
    value: textOf(toldBy(name, { ...held, announced: 'waiting' }, 0)),
  });
  return true;
}

/**
 * PostgreSQL is told to promote, which it may do at any later moment unless it is killed before. The controller's own last look
 * (`obstacleToPromotion`) is left out: a mistake in the rules must not be covered by it.
 */
function promote(work: Work, term: number): boolean {
  const { name, node } = work;
  if (node.runner.postgres !== 'standby') return false;
  if (node.vow !== null) work.never(`${name} promotes although its promise (failsafe) still binds it`);
  const disk = diskOf(name, node);
  const hold = node.controller?.hold ?? null;
  const { dataTerm, led } = disk.record;
  const own = { term, parentTerm: hold?.parentTerm ?? dataTerm };
  disk.update({ ledTerm: term, dataTerm: term, led: [...led.filter((other) => other.term !== term), own] });
  if (hold !== null) Object.assign(hold, { announced: 'promoting', phase: 'promoting' });
  node.runner.postgres = 'promoting';
  return true;
}

function markRunning(work: Work, controller: Controller, term: number): boolean {
  const { hold } = controller;
  if (hold?.term !== term) return false;
  diskOf(work.name, work.node).update({ ledTerm: term, dataTerm: term });
  hold.mayHaveRun = true;
  controller.writing = 'running';
  sendBeat(work, 'running', null);
  return true;
}

function release(work: Work, controller: Controller, action: Extract<Action, { type: 'release' }>): boolean {
  const { hold } = controller;
  if (hold === null) return false;
  const record = leaseRecordOf(hold.record);
  record.close(NOW);
  hold.record = leaseOf(record);
  controller.releasing = true;
  const phase = hold.mayHaveRun ? 'draining' : hold.phase;
  const { released, successor } = action;
  sendRelease(work, hold, textOf({ ...toldBy(work.name, hold, 0), phase, released, successor }), record.ownLastIndex);
  return true;
}

export function sendRelease({ name, sent }: Work, { session }: Hold, value: string, own: number): void {
  // When a release was sent gives no right.
  sent.push({ kind: 'release', node: name, session, sentAt: -LEASE, result: null, value, own });
}

function toldBy(name: Name, { term, announced, last }: Pick<Hold, 'term' | 'announced' | 'last'>, beat: number) {
  return { node: name, term, beat, phase: announced, released: false, successor: null, last };
}

/** `LeaseHolder.beatNow`; nothing is sent after a loss or a release. */
export function sendBeat({ name, node, sent }: Work, why: Exclude<Beat['why'], 'resume'>, also: Beat['also']): void {
  const hold = node.controller?.hold ?? null;
  if (hold === null || hold.record.lost || hold.record.closed) return;
  if (why === 'beat') hold.beaten = true;
  const record = leaseRecordOf(hold.record);
  record.sent(NOW);
  hold.record = leaseOf(record);
  // Another than any that is there; it becomes a rank.
  const number = FRESH;
  // `running` is said only together with the entry of the history, until that is answered.
  const announced = why === 'running' ? why : hold.announced;
  const value = textOf(toldBy(name, { ...hold, announced }, number));
  const { session } = hold;
  sent.push({ kind: 'beat', node: name, session, sentAt: 0, result: null, value, number, why, also });
}

/** The hold is over. Its session ends sometime: that it is destroyed is one of the ways. */
export function forgetHold(work: Work, controller: Controller): void {
  if (controller.hold !== null) work.let.push(controller.hold.session);
  diskOf(work.name, work.node).holdEnded();
  Object.assign(controller, { hold: null, votedFor: null, pending: [], writing: null, releasing: false, asking: null });
}
