import type { Configuration } from './configuration';

const NOTHING = { crashes: 0, deaths: 0, sickness: 0, gone: 0 };

export const CONFIGURATIONS: readonly Configuration[] = [
  {
    name: 'takeover',
    about: 'a session ends, or a lease runs out; answers are lost; two candidates',
    ...{ nodes: 3, members: ['a', 'b', 'c'], candidates: ['a', 'b', 'c'], terms: 2, slow: 'a', beats: 0, lateAnswers: false },
    ...{ failsafe: false, secondFence: false, idleSessions: false, lateReads: false, sessionsEnd: true, left: NOTHING, depth: null },
  },
];
