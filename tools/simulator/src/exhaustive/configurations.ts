import type { Configuration } from './configuration';

const NOTHING = { crashes: 0, deaths: 0, sickness: 0, gone: 0 };

const TWO = {
  nodes: 2,
  members: ['a', 'b'],
  candidates: ['a', 'b'],
  terms: 1,
  slow: null,
  ...{ beats: 0, lateAnswers: false, failsafe: false, secondFence: false, idleSessions: false },
  ...{ lateReads: false, sessionsEnd: true, left: NOTHING, depth: null },
} as const;

const THREE = { ...TWO, nodes: 3, members: ['a', 'b', 'c'], candidates: ['b', 'c'] } as const;

/** Each goes as deep as it can in its share of five minutes. */
export const CONFIGURATIONS: readonly Configuration[] = [
  {
    ...TWO,
    name: 'takeover',
    about: 'the lock is lost, or its lease runs out on a slow clock; each of two nodes may succeed the first',
    slow: 'a',
    depth: 16,
  },
  {
    ...TWO,
    name: 'release',
    about:
      'PostgreSQL dies, or does not answer for a while: the lock is released, and requests and answers take their time',
    ...{ lateAnswers: true, secondFence: true, left: { ...NOTHING, deaths: 1, sickness: 1 }, depth: 11 },
  },
  {
    ...TWO,
    name: 'answers',
    about: 'beats, reads and their answers are late, lost, and overtake each other',
    ...{ candidates: ['b'], beats: 2, lateAnswers: true, lateReads: true, idleSessions: true, depth: 9 },
  },
  {
    ...TWO,
    name: 'restarts',
    about: 'a controller is killed and started again, and goes on with what is on its disk',
    ...{ candidates: ['b'], left: { ...NOTHING, crashes: 1, sickness: 1 }, depth: 12 },
  },
  {
    ...THREE,
    name: 'candidates',
    about: 'two nodes try to succeed the first one, whose clock is slow, and one of them gives up',
    ...{ terms: 2, slow: 'a', depth: 10 },
  },
  {
    ...THREE,
    name: 'failsafe',
    about: 'the Master has no answer of Consul, and asks the members; their controllers may be killed',
    ...{ failsafe: true, left: { ...NOTHING, crashes: 1 }, depth: 9 },
  },
  {
    ...THREE,
    name: 'members',
    about: 'a node is put on the list of members, another is taken off it, and the Master has no answer of Consul',
    ...{ members: ['a', 'b'], failsafe: true, lateAnswers: true, left: { ...NOTHING, gone: 1 }, depth: 7 },
  },
];
