import { parseLsn } from '@ha-postgres/lsn';
import { begin } from './ending-rules';
import { lead, whileRunning, type HolderRule } from './holding';
import type { Hold, Observation, SuccessorLook, SwitchoverSight } from './observation';
import type { Rules } from './outcome';
import { chooseSuccessor, whyRefused, type Choice } from './switchover-targets';

/** How long the stopped Master, and everybody else, stands back for the successor. */
const SUCCESSOR_FIRST_MS = 1000;
/** Nobody who fits at one glance is no answer yet: a WAL receiver that starts again, or a status on its way, is soon there. */
const SUCCESSOR_APPEARS_MS = 3000;
/** Between two looks for one. */
const LOOK_AGAIN_MS = 200;

/**
 * A Master that is asked to hand over: it looks who could, has the load balancers hold their clients, stops PostgreSQL cleanly, so
 * that every Replica that streams gets all, and releases the lock. What was accepted is on disk before anybody is told: a
 * controller that is restarted in any phase goes on with it.
 */
export const switchoverRules: Rules = {
  masterStopsForASwitchover: whileRunning((o, _memory, hold) => {
    const accepted = draining(o);
    if (hold.phase !== 'draining' || accepted === null || o.switchover?.drainedFor !== accepted.id) return null;
    return begin(o, `switchover ${accepted.id}`, 'fast', SUCCESSOR_FIRST_MS, accepted.successor);
  }),

  masterDrainsForASwitchover: whileRunning((o, _memory, hold) => {
    const accepted = draining(o);
    if (accepted?.successor == null) return null;
    const { id, successor, why } = accepted;
    return lead(o, hold, [{ type: 'drain', id, successor, why }]);
  }),

  masterRefusesASwitchover: whileRunning((o, _memory, hold) => {
    const request = unserved(o);
    const why = request === null ? null : whyRefused(o, request);
    return request === null || why === null
      ? null
      : lead(o, hold, [{ type: 'refuseSwitchover', id: request.value.id, why }]);
  }),

  masterLooksForASuccessor: whileRunning((o, _memory, hold) => {
    const request = unserved(o);
    if (request === null) return null;
    const look = lookFor(request, o);
    const isDue = look === null || (mayAppear(request, look, o) && o.now >= look.at + LOOK_AGAIN_MS);
    return isDue ? lead(o, hold, [{ type: 'lookForSuccessors', id: request.value.id }]) : null;
  }),

  masterChoosesItsSuccessor: whileRunning((o, _memory, hold) => {
    const request = unserved(o);
    const look = request === null ? null : lookFor(request, o);
    if (request === null || look === null || mayAppear(request, look, o)) return null;
    const { id, by } = request.value;
    const choice = choiceOf(request, look, o);
    if ('refused' in choice) return lead(o, hold, [{ type: 'refuseSwitchover', id, why: choice.refused }]);
    const why = by === undefined ? 'asked for' : `asked for by ${by}`;
    return lead(o, hold, [{ type: 'drain', id, successor: choice.node, why }]);
  }),
};

/** The successor for which this Master drains; null: it does not. */
export function successorOf(o: Observation): string | null {
  return draining(o)?.successor ?? null;
}

/**
 * The Master stopped cleanly, so its end is known, and this node has not got all of it. The last Master has: it is named as
 * successor, once, and takes over again. (A member that has more than this one has been let go first already.)
 */
export const giveSwitchoverBack: HolderRule = (o, memory, hold) => {
  const { last } = hold;
  if (last?.switchover === undefined || last.lsnExact !== true) return null;
  if (hasTheWholeEnd(o, hold) || memory.passedOver.includes(last.node)) return null;
  const why = `has not received the end of ${last.node}'s WAL, which stopped for switchover ${last.switchover.id}`;
  return begin(o, why, 'immediate', 2 * SUCCESSOR_FIRST_MS, last.node);
};

/** The last Master stopped cleanly: its shutdown checkpoint, after which nothing follows, begins where it says, and is here. */
export function hasTheWholeEnd(o: Observation, { last }: Hold): boolean {
  const replayed = o.postgres.replayedLsn ?? o.postgres.lsn;
  return last?.lsnExact === true && replayed !== null && replayed > parseLsn(last.lsn);
}

type Request = NonNullable<SwitchoverSight['request']>;

function lookFor({ value }: Request, { switchover }: Observation): SuccessorLook | null {
  return switchover?.look?.id === value.id ? switchover.look : null;
}

function choiceOf({ value }: Request, { targets }: SuccessorLook, { self }: Observation): Choice {
  return chooseSuccessor(
    value.to,
    targets.filter(({ node }) => node !== self.node),
  );
}

/** Nobody fitted at the last look, and another is to come, or has begun. */
function mayAppear(request: Request, look: SuccessorLook, o: Observation): boolean {
  if (!('refused' in choiceOf(request, look, o))) return false;
  return o.now < look.firstAt + SUCCESSOR_APPEARS_MS || o.inFlight.has('lookForSuccessors');
}

/** What this very hold has accepted: a record of an earlier one is over. */
function draining(o: Observation) {
  const { switchover } = o.disk;
  return switchover?.state === 'draining' && switchover.term === o.hold?.term ? switchover : null;
}

/**
 * A request that has had no answer yet; also one of a Master that ended before it had given any. Whoever refuses one removes it, and
 * one that was served is told by the history.
 */
function unserved(o: Observation): Request | null {
  const request = o.switchover?.request ?? null;
  if (request === null || isAnsweredHere(request, o) || !o.history.known) return null;
  const { id } = request.value;
  const isServed = o.history.value.promotions.some(({ switchover }) => switchover === id);
  // By this very promotion, of which the history that is known may not tell yet.
  return isServed || o.hold?.last?.switchover?.id === id ? null : request;
}

/** What was accepted in an earlier hold, and has led to nothing, is no answer. */
function isAnsweredHere({ value }: Request, { disk, hold }: Observation): boolean {
  const { switchover } = disk;
  return switchover?.id === value.id && (switchover.state !== 'draining' || switchover.term === hold?.term);
}
