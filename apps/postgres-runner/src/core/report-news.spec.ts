import type { RoleAnswer, RunnerInstruction, RunnerReport } from '@ha-postgres/cluster-state';
import { isSameJson } from '@ha-postgres/service-kit';
import { newsOf } from './report-news';

const answer = (index: number, instruction: RunnerInstruction): RoleAnswer => ({
  index,
  bootId: 'boot',
  node: 'a',
  role: instruction.kind === 'lead' ? 'Master' : 'Replica',
  validUntil: String(index),
  term: 6,
  instruction,
  master: null,
});

/** After `given` was obeyed. */
function report(given: RoleAnswer, change: Partial<RunnerReport> = {}): RunnerReport {
  const isLead = given.instruction.kind === 'lead';
  return {
    incarnation: 'i',
    bootId: 'boot',
    obeysIndex: given.index,
    phase: 'running',
    armed: isLead ? { index: given.index, term: 6, validUntil: given.validUntil } : null,
    stopped: false,
    postgres: { pid: 1, startedAt: '1', exit: null, inRecovery: false },
    receivingFrom: null,
    data: { state: 'initialised', systemId: '1', fresh: false, timeline: 1, cleanShutdown: false, checkpointLsn: null },
    progress: null,
    error: null,
    ...change,
  };
}

const LEAD: RunnerInstruction = { kind: 'lead', term: 6 };
const STOP: RunnerInstruction = { kind: 'stop', mode: 'fast', why: '' };
const FOLLOW: RunnerInstruction = { kind: 'follow', upstream: null };

function isNews(before: RoleAnswer, after: RoleAnswer, change: Partial<RunnerReport> = {}): boolean {
  return !isSameJson(newsOf(report(before), before), newsOf(report(after, change), after));
}

describe('what the runner tells at once', () => {
  it('is not that it has taken up a later deadline of the term it leads', () => {
    expect(isNews(answer(10, LEAD), answer(11, LEAD))).toBe(false);
  });

  it.each([
    ['that it is armed', answer(10, FOLLOW), answer(11, LEAD), {}],
    ['that it is armed for another term', answer(10, LEAD), answer(11, { kind: 'lead', term: 7 }), {}],
    ['that it is armed no more, though still told to lead', answer(10, LEAD), answer(11, LEAD), { armed: null }],
    ['that PostgreSQL runs', answer(10, LEAD), answer(11, LEAD), { phase: 'starting' as const }],
    [
      'that it obeys another rule of the same term',
      answer(10, LEAD),
      answer(11, { ...LEAD, admits: 'replication' as const }),
      {},
    ],
    ['that it has not obeyed yet', answer(10, LEAD), answer(11, LEAD), { obeysIndex: 10 }],
    ['that it obeys a stop', answer(10, LEAD), answer(11, STOP), {}],
    ['that it obeys the same stop, told again', answer(10, STOP), answer(11, STOP), {}],
    ['that it obeys the same follow, told again', answer(10, FOLLOW), answer(11, FOLLOW), {}],
  ])('is %s', (_, before, after, change) => {
    expect(isNews(before, after, change)).toBe(true);
  });

  it('is everything while nothing was decided', () => {
    const given = answer(0, FOLLOW);
    expect(newsOf(report(given), null)).toEqual(report(given));
  });
});
