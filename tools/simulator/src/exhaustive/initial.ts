import type { Configuration } from './configuration';
import { NAMES, type Controller, type Name, type Node, type State } from './state';
import { FENCE, LEASE } from './times';
import { textOf } from './values';

/** The first Master's term; one before it is told, so that nobody takes this for a cluster that is being made. */
export const INITIAL_TERM = 2;
const SESSION = `a${INITIAL_TERM}`;

/** a runs as Master, its lease fresh; the others follow it. */
export function initialState(configuration: Configuration): State {
  const last = { node: 'a', term: INITIAL_TERM - 1 };
  const value = textOf({
    node: 'a',
    term: INITIAL_TERM,
    beat: 0,
    phase: 'running',
    released: false,
    successor: null,
    last,
  });
  const names = NAMES.slice(0, configuration.nodes);
  return {
    consul: {
      master: { value, index: 2, session: SESSION },
      members: { value: configuration.members.join(','), index: 1, session: null },
      sessions: [SESSION],
    },
    nodes: names.map((name) => nodeAtFirst(name, value, configuration)),
    messages: [],
    world: {
      told: [
        { term: INITIAL_TERM - 1, parent: 0, node: 'a' },
        { term: INITIAL_TERM, parent: INITIAL_TERM - 1, node: 'a' },
      ],
      highestTerm: INITIAL_TERM,
      sinceStill: LEASE,
      left: { ...configuration.left },
      order: configuration.nodes === 2 || !isSymmetric(configuration),
      listed: {},
      gone: [],
    },
  };
}

/** b and c cannot be told apart. */
function isSymmetric({ members, slow }: Configuration): boolean {
  return members.includes('b') === members.includes('c') && slow !== 'b' && slow !== 'c';
}

function nodeAtFirst(name: Name, value: string, configuration: Configuration): Node {
  const isMaster = name === 'a';
  const last = { node: 'a', term: INITIAL_TERM - 1 };
  const hold = {
    ...{ term: INITIAL_TERM, session: SESSION, phase: 'running' as const, waitUntil: null, predecessor: last, last },
    parentTerm: INITIAL_TERM - 1,
  };
  return {
    disk: {
      ...{ highestTerm: INITIAL_TERM, highestTermNode: 'a', highestIndex: 0, dataTerm: INITIAL_TERM },
      ledTerm: isMaster ? INITIAL_TERM : null,
      led: isMaster ? [{ term: INITIAL_TERM, parentTerm: INITIAL_TERM - 1 }] : [],
      ...{ deadMaster: false, rejoining: null, votedTerm: 0, promise: null },
      hold: isMaster ? hold : null,
    },
    controller: controllerAtFirst(isMaster ? hold : null, value, configuration),
    runner: isMaster
      ? {
          answer: { index: 1, instruction: { kind: 'lead', term: INITIAL_TERM }, validUntil: LEASE - FENCE },
          armed: { index: 1, term: INITIAL_TERM, validUntil: LEASE - FENCE },
          ...{ holdIndex: -1, diedInTerm: null, postgres: 'writable' },
        }
      : {
          answer: { index: 1, instruction: { kind: 'follow' }, validUntil: null },
          ...{ armed: null, holdIndex: -1, diedInTerm: null, postgres: 'standby' },
        },
    ...{ sick: false, vow: null },
  };
}

function controllerAtFirst(hold: Node['disk']['hold'], value: string, configuration: Configuration): Controller {
  const record = { end: LEASE, lost: false, waiting: [], closed: false, standingIndex: 2 };
  return {
    master: hold === null ? { entry: { value, index: 2, session: SESSION }, firstSeen: 0, confirmed: 0 } : null,
    members: { list: [...configuration.members], index: 1 },
    ...{ answered: null, highestIndexSeen: 0, ending: null, standBackUntil: null },
    hold:
      hold === null
        ? null
        : { ...hold, announced: hold.phase, mayHaveRun: true, refused: false, record, beaten: false },
    ...{
      acquiring: false,
      resuming: false,
      releasing: false,
      writing: null,
      votedFor: null,
      asking: null,
      lastAsk: null,
    },
    pending: [],
    published: {
      instruction: hold === null ? { kind: 'follow' } : { kind: 'lead', term: INITIAL_TERM },
      ...{ index: 1, instructionIndex: 1, since: -1, validUntil: hold === null ? null : LEASE - FENCE },
    },
    ...{ ownKill: false, reading: null },
  };
}
