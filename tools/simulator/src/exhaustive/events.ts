import { sight } from '@ha-postgres/consul-election';
import { sendBeat, settle } from './act';
import type { Configuration } from './configuration';
import { MASTER, commit, kvEntry } from './consul';
import { deliver, giveUp, membersIn } from './deliver';
import { answerFailsafe, takeFailsafe } from './failsafe';
import { newController } from './memory';
import type { Next } from './next';
import { pass, passMessage } from './passing';
import { isPast, obey, postgresDies, wake } from './runner';
import {
  NAMES,
  isWritable,
  nodeOf,
  type Consul,
  type Controller,
  type Entry,
  type Message,
  type Name,
  type Node,
  type Runner,
  type State,
} from './state';
import { DRIFT, FENCE, LATE, LEASE, NOW, toMillis, toTicks } from './times';
import { textOf, toldIn, withBeat } from './values';
import { FRESH, type Work } from './work';

/** Something that can happen in a state. */
export interface Event {
  readonly text: string;
  readonly run: (next: Next) => void | Promise<void>;
}

/** All that can happen next, always in the same order. */
export function eventsOf(state: State, configuration: Configuration): Event[] {
  const names = NAMES.slice(0, state.nodes.length);
  return [
    ...ticks(state, configuration),
    ...names.flatMap((name) => nodeEvents(state, name, configuration)),
    ...state.messages.flatMap((message) => messageEvents(message, state.world.order, configuration)),
    ...sessionEvents(state, configuration),
    ...names.flatMap((name) => environmentEvents(state, name)),
  ];
}

/**
 * A tick of all clocks, or of all but the slow one. It cannot come while a node's PostgreSQL still runs at the end of its lease: the
 * runner has `fenceTime` to kill it. (A node that is frozen whole is what no lease can cover.)
 */
function ticks(state: State, { slow }: Configuration): Event[] {
  const names = NAMES.slice(0, state.nodes.length);
  const mustKill = (name: Name) => {
    const { runner } = nodeOf(state, name);
    const { armed } = runner;
    return armed !== null && canWrite(runner) && armed.validUntil + FENCE <= 1;
  };
  const tick = (still: Name | null): Event => ({
    text: still === null ? 'a tick passes' : `a tick passes, but not on ${still}, whose clock is slow`,
    run: (next) => {
      const { parts } = next.workshop;
      for (const name of names) if (name !== still) next.do(name, 'tick', passes);
      next.messages = next.messages.map((message) =>
        message.node === still ? message : parts.message.one(passMessage(message)),
      );
      if (slow !== null)
        next.changeWorld((world) => {
          world.sinceStill = still === null ? Math.min(LEASE, world.sinceStill + 1) : 0;
        });
    },
  });
  const events: Event[] = [];
  if (!names.some(mustKill)) events.push(tick(null));
  const mayStandStill = slow !== null && state.world.sinceStill >= LEASE / DRIFT;
  if (mayStandStill && !names.some((name) => name !== slow && mustKill(name))) events.push(tick(slow));
  return events;
}

function nodeEvents(state: State, name: Name, configuration: Configuration): Event[] {
  const node = nodeOf(state, name);
  const { controller, runner } = node;
  const events: Event[] = [];
  const add = (text: string, run: Event['run']) => events.push({ text, run });
  if (canWrite(runner) && isPast(name, runner, LATE))
    add(`the runner of ${name} fences: its deadline has passed`, (next) => void next.do(name, 'fence', fence));
  if (runner.postgres === 'promoting')
    add(`PostgreSQL of ${name} takes writes`, (next) => void next.do(name, 'promoted', promoted));
  if (controller === null) {
    add(`the controller of ${name} starts again`, (next) => void next.do(name, 'start', start));
    return events;
  }
  add('', (next) => void next.do(name, 'turn', settle));
  if (isLookedAt(node, state.consul, configuration))
    add(`${name} reads ${MASTER}: `, (next) => read(next, name, 0, next.consul.master, configuration));
  const said = controller.published;
  if (said !== null && said.index !== runner.answer?.index)
    add(`the runner of ${name} obeys: ${said.instruction.kind}`, (next) => void next.do(name, 'obey', obeyed));
  if (mayListChange(configuration) && controller.members?.index !== state.consul.members.index)
    add(`${name} reads the list of members: ${state.consul.members.value}`, (next) => readMembers(next, name));
  if (configuration.lateReads) events.push(lateRead(name, controller, configuration));
  events.push(...beatEvents(state, name, controller, configuration));
  if (controller.resuming && !state.messages.some((message) => message.node === name && isResume(message)))
    add(`${name} sends a beat to prove its hold`, (next) => void next.do(name, 'resume', sendResume));
  events.push(...failsafeEvents(state, name, controller));
  return events;
}

/** Now, or as soon as it has done what it was told. */
function canWrite({ postgres }: Runner): boolean {
  return postgres === 'writable' || postgres === 'promoting';
}

/** Where nothing can be written, it does not matter when the runner looks at its deadline: it does so at once. */
const passes = ({ name, node }: Work) => {
  pass(node);
  if (!canWrite(node.runner) && isPast(name, node.runner)) wake(name, node.runner);
};
const fence = ({ name, node }: Work) => wake(name, node.runner, LATE);
const obeyed = (work: Work) => {
  obey(work.name, work.node);
  settle(work);
};
const promoted = ({ node }: Work) => void (node.runner.postgres = 'writable');
const start = ({ node }: Work) => void (node.controller = newController(node));

export function mayListChange({ members, nodes, left }: Configuration): boolean {
  return members.length < nodes || left.gone > 0;
}

/**
 * A holder decides nothing by the key, and a DeadMaster nothing at all. A read that would show what was seen before only matters for
 * a lease that may have run out.
 */
function isLookedAt({ controller, disk }: Node, { master }: Consul, { failsafe }: Configuration): boolean {
  if (controller?.hold !== null || disk.deadMaster) return false;
  const seen = controller.master;
  const isNew = seen?.entry.index !== master.index || seen.entry.session !== master.session;
  return isNew || failsafe || seen.firstSeen < -(LEASE + DRIFT);
}

function readMembers(next: Next, name: Name): void {
  const { consul } = next;
  next.do(name, `members ${next.workshop.parts.consul.idOf(consul)}`, ({ node }) => {
    if (node.controller !== null) node.controller.members = membersIn(consul);
  });
}

function isResume(message: Message): boolean {
  return message.kind === 'beat' && message.why === 'resume';
}

function beatEvents(
  { messages }: State,
  name: Name,
  { hold, ending }: Controller,
  { beats, failsafe }: Configuration,
): Event[] {
  if (hold === null || hold.beaten || ending !== null || hold.record.lost || hold.record.closed) return [];
  const send = (next: Next) => void next.do(name, 'beat', (work) => sendBeat(work, 'beat', null));
  if (beats === 0)
    return [
      { text: `${name} sends a beat: `, run: (next) => beatAtOnce(next, name, true) },
      { text: `${name} sends a beat, whose answer is lost: `, run: (next) => beatAtOnce(next, name, false) },
      ...(failsafe ? [{ text: `${name} sends a beat that is lost`, run: (next: Next) => loseBeat(next, name) }] : []),
    ];
  const underWay = messages.filter(({ node, kind }) => node === name && kind === 'beat').length;
  return underWay < beats ? [{ text: `${name} sends a beat`, run: send }] : [];
}

function loseBeat(next: Next, name: Name): void {
  const before = next.messages;
  next.do(name, 'beat', (work) => sendBeat(work, 'beat', null));
  next.messages = before;
}

function sendResume({ name, node, sent }: Work): void {
  const { hold } = node.disk;
  if (hold === null) return;
  const { term, session, phase, last } = hold;
  // Beats of the former process had lower numbers.
  const number = FRESH;
  const value = textOf({ node: name, term, beat: number, phase, released: false, successor: null, last });
  const request = { node: name, session, value, sentAt: 0, result: null };
  sent.push({ kind: 'beat', ...request, number, why: 'resume', also: null });
}

/** A consistent read arrives, and the loop turns. */
function read(next: Next, name: Name, sentAt: number, entry: Entry, configuration: Configuration): void {
  const members = mayListChange(configuration) ? null : membersIn(next.consul);
  const shown = { ...entry, value: withBeat(entry.value, 0) };
  const key = `read ${sentAt} ${shown.value} ${shown.index} ${shown.session ?? ''} ${members?.index ?? ''}`;
  next.do(name, key, (work) => {
    const { controller } = work.node;
    if (controller === null) return;
    controller.reading = null;
    see(controller, sentAt, shown);
    if (members !== null) controller.members = members;
    const { term, phase, node, released } = toldIn(shown.value);
    const whose = shown.session === null ? 'free' : `held by ${shown.session}`;
    work.note(`${whose}, ${node} ${phase} in term ${term}${released ? ', released' : ''}`);
    settle(work);
  });
}

/** `ConsulView.sawMaster`, with the real `sight`. */
function see(controller: Controller, sentAt: number, entry: Entry): void {
  const before = controller.master;
  controller.answered = 0;
  // An older state than what was seen: its answer was overtaken.
  if (before !== null && entry.index < before.entry.index) return;
  const previous =
    before === null ? null : { modifyIndex: before.entry.index, firstSeenAt: toMillis(before.firstSeen) };
  const seen = sight(previous, kvEntry(MASTER, entry), NOW);
  const isNew = before?.entry.index !== entry.index || before.entry.session !== entry.session;
  const confirmed = isNew ? sentAt : Math.max(before.confirmed, sentAt);
  controller.master = { entry, firstSeen: toTicks(seen.firstSeenAt) ?? 0, confirmed };
}

function lateRead(name: Name, { reading }: Controller, configuration: Configuration): Event {
  if (reading !== null) {
    const take = (next: Next) => read(next, name, reading.sentAt, reading.entry, configuration);
    return { text: `${name} gets the answer to a read of ${MASTER}: `, run: take };
  }
  return {
    text: `Consul answers a read of ${name}, which takes its time to arrive`,
    run: (next) => {
      const entry = { ...next.consul.master, value: withBeat(next.consul.master.value, 0) };
      const key = `asks ${entry.value} ${entry.index} ${entry.session ?? ''}`;
      next.do(name, key, ({ node }) => {
        if (node.controller !== null) node.controller.reading = { sentAt: 0, entry };
      });
    },
  };
}

function failsafeEvents(state: State, name: Name, { asking }: Controller): Event[] {
  if (asking === null) return [];
  const left = asking.asked.filter((member) => !asking.agreed.includes(member) && !asking.refused.includes(member));
  const answering = left.filter((member) => nodeOf(state, member).controller !== null);
  const { term } = asking;
  return [
    ...answering.map((member) => ({ text: '', run: (next: Next) => answer(next, name, member, term) })),
    { text: '', run: (next: Next) => takeAnswers(next, name) },
  ];
}

function answer(next: Next, holder: Name, member: Name, term: number): void {
  const { said } = next.do(member, `failsafe ${holder} ${term}`, (work) => answerFailsafe(work, holder, term));
  const isAgreed = said === true;
  next.do(holder, `answered ${member} ${String(isAgreed)}`, ({ node }) => {
    (isAgreed ? node.controller?.asking?.agreed : node.controller?.asking?.refused)?.push(member);
  });
}

async function takeAnswers(next: Next, holder: Name): Promise<void> {
  const listed = (next.world.listed[holder] ?? '').split(',') as Name[];
  const { said } = await next.doAsync(holder, 'answers', (work) => takeFailsafe(work));
  if (said !== true) return;
  // Failsafe extends a lease only on the word of every node that may take over. (One that is listed later is so by a beat that was
  // sent after the question, and which it must wait out.)
  for (const member of listed)
    if (member !== holder && nodeOf(next, member).vow === null)
      next.never(`the lease of ${holder} is extended by failsafe without a promise of ${member}, which is on the list`);
}

function messageEvents(message: Message, order: boolean, { lateAnswers }: Configuration): Event[] {
  const { node: name, kind, result } = message;
  const what = kind === 'beat' && message.why !== 'beat' ? `beat (${message.why})` : kind;
  const lose: Event = {
    text: `no answer to the ${what} of ${name} comes any more`,
    run: (next) => unanswered(next, message),
  };
  // What c does first, b does first in another way.
  if (!order && kind === 'acquire' && name === 'c') return [lose];
  if (result === null && !lateAnswers)
    return [
      { text: `Consul answers the ${what} of ${name}: `, run: (next) => take(next, carryOut(next, message)) },
      {
        text: `Consul carries out the ${what} of ${name}, but its answer is lost: `,
        run: (next) => goWithout(next, message),
      },
      lose,
    ];
  if (result === null)
    return [{ text: `Consul carries out the ${what} of ${name}: `, run: (next) => void carryOut(next, message) }, lose];
  return [{ text: `${name} gets the answer to its ${what}`, run: (next) => take(next, message) }, lose];
}

/** No answer comes, whatever became of the request. */
function unanswered(next: Next, message: Message): void {
  takeOut(next, message);
  const why = message.kind === 'beat' ? message.why : '';
  next.do(message.node, `lose ${message.kind} ${message.session} ${why}`, (work) => giveUp(work, message));
}

function goWithout(next: Next, message: Message): void {
  unanswered(next, carryOut(next, message));
}

/** A beat that reaches Consul at once. */
function beatAtOnce(next: Next, name: Name, isAnswered: boolean): void | Promise<void> {
  next.do(name, 'beat', (work) => sendBeat(work, 'beat', null));
  const message = next.messages.findLast(
    ({ kind, node, result }) => kind === 'beat' && node === name && result === null,
  );
  if (message === undefined) return;
  const answer = carryOut(next, message);
  if (isAnswered) return take(next, answer);
  unanswered(next, answer);
}

/** An answer arrives, and the loop turns. */
function take(next: Next, message: Message): void | Promise<void> {
  takeOut(next, message);
  const { parts } = next.workshop;
  const { consul } = next;
  const key = `answer ${parts.message.idOf(message)} ${parts.consul.idOf(consul)}`;
  const known = next.workshop.known(next, message.node, key);
  if (known !== null) {
    next.take(message.node, known);
    return;
  }
  const work = async (own: Work) => {
    await deliver(own, message, consul);
    settle(own);
  };
  return next.doAsync(message.node, key, work).then(() => undefined);
}

function takeOut(next: Next, message: Message): void {
  next.messages = next.messages.filter((other) => other !== message);
}

function carryOut(next: Next, message: Message): Message {
  const { parts } = next.workshop;
  const before = toldIn(next.consul.master.value).term;
  const own = { ...message };
  const consul: Consul = copyOf(next.consul);
  own.result = commit(consul, own, FRESH);
  next.consul = parts.consul.one(consul);
  const answer = parts.message.one(answered(own));
  next.messages = next.messages.map((other) => (other === message ? answer : other));
  next.notes.push(own.result.committed ? 'done' : `refused (${own.result.errors.map(({ what }) => what).join('; ')})`);
  if (!own.result.committed) return answer;
  if (message.kind === 'release') releaseCarriedOut(next, message);
  if (message.kind === 'acquire' && !membersIn(next.consul).list.includes(message.node))
    next.never(`${message.node} takes the lock though it is not on the list, and nobody asks it for failsafe`);
  judgeTerm(next, message, before);
  return answer;
}

/** The lock is not freed under a holder that goes on, nor before what it protects has ended. */
function releaseCarriedOut(next: Next, { node: name, session, value }: Message): void {
  next.freed(name);
  if (toldIn(value).released && next.nodes.some(isWritable))
    next.never(`${name} says that all before it is over (released), while somebody can acknowledge writes`);
  const hold = nodeOf(next, name).controller?.hold ?? null;
  if (hold?.session === session && !hold.record.closed)
    next.never(`the lock is freed under ${name}, which has gone on with its hold`);
}

/** What was asked is of no meaning any more when the answer is under way. */
function answered(message: Message): Message {
  const { result } = message;
  const sentAt = result?.committed === true && message.kind !== 'release' ? message.sentAt : -LEASE;
  switch (message.kind) {
    case 'beat':
      return { ...message, sentAt, number: 0, value: '' };
    case 'acquire':
      return { ...message, sentAt, decidedOn: 0, members: 0, takeOver: false, value: '' };
    case 'release':
      return { ...message, sentAt, own: 0 };
  }
}

function copyOf({ master, members, sessions }: Consul): Consul {
  return { master: { ...master }, members: { ...members }, sessions };
}

/** Terms are taken in order, and each once: a term is the identity of a history. */
function judgeTerm(next: Next, message: Message, before: number): void {
  const { term, phase } = toldIn(message.value);
  const { highestTerm, told } = next.world;
  if (message.kind === 'acquire' && term <= highestTerm)
    next.never(`term ${term} is taken a second time, by ${message.node}`);
  if (term < before) next.never(`the lock goes back from term ${before} to term ${term}`);
  const isTold = phase !== 'running' || told.some((one) => one.term === term);
  if (message.kind === 'acquire' && message.node === 'b' && !next.world.order)
    next.changeWorld((world) => void (world.order = true));
  if (term <= highestTerm && isTold) return;
  const parent = nodeOf(next, message.node).disk.led.find((one) => one.term === term)?.parentTerm ?? 0;
  next.changeWorld((world) => {
    world.highestTerm = Math.max(term, highestTerm);
    if (!isTold) world.told.push({ term, parent, node: message.node });
  });
}

/** Its TTL is over, it was destroyed, or Consul lost it. */
function sessionEvents({ consul, nodes }: State, { sessionsEnd }: Configuration): Event[] {
  const isServing = (session: string) =>
    nodes.some(({ disk, controller }) => disk.hold?.session === session || controller?.hold?.session === session);
  return consul.sessions
    .filter((session) => sessionsEnd || !isServing(session))
    .map((session) => ({ text: `session ${session} ends`, run: (next) => next.end(session) }));
}

function environmentEvents(state: State, name: Name): Event[] {
  const { left, gone } = state.world;
  const { controller, runner, sick } = nodeOf(state, name);
  const events: Event[] = [];
  const add = (text: string, cost: keyof typeof left | null, run: (next: Next) => unknown) =>
    events.push({
      text,
      run: (next) => {
        run(next);
        if (cost !== null) next.changeWorld((world) => void (world.left[cost] -= 1));
      },
    });
  if (left.crashes > 0 && controller !== null)
    add(`the controller of ${name} is killed`, 'crashes', (next) => next.do(name, 'crash', crash));
  if (left.deaths > 0 && runner.postgres !== 'stopped')
    add(`PostgreSQL of ${name} dies`, 'deaths', (next) => next.do(name, 'die', die));
  if (sick || (left.sickness > 0 && runner.postgres !== 'stopped'))
    add(`PostgreSQL of ${name} ${sick ? 'answers again' : 'does not answer'}`, sick ? null : 'sickness', (next) =>
      next.do(name, 'sick', ({ node }) => void (node.sick = !sick)),
    );
  if (left.gone > 0 && name !== 'a' && gone.length === 0)
    add(`${name} has not answered the Master for so long that it counts as gone`, 'gone', (next) =>
      next.changeWorld((world) => void world.gone.push(name)),
    );
  return events;
}

const crash = ({ node }: Work) => void (node.controller = null);
const die = ({ name, node }: Work) => postgresDies(name, node.runner);
