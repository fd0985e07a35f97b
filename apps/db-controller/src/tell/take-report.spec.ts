import type { RunnerReport } from '@ha-postgres/cluster-state';
import type { RunnerInstruction } from '@ha-postgres/cluster-state';
import { millisToNanosText } from '@ha-postgres/service-kit';
import { runnerReport } from '../../test/fixture/values';
import { endWorlds, world, type World } from '../../test/fixture/world';
import type { Saying } from './publisher';
import { takeReport } from './take-report';

afterEach(endWorlds);

/** Publishes; the index by which the runner names it. */
function say({ parts }: World, instruction: RunnerInstruction): number {
  const saying = { node: 'b', role: 'Master', instruction, term: 6, master: null, ready: true, readyWhy: '' };
  parts.publisher.say({
    ...(saying as Omit<Saying, 'validUntil' | 'lagBytes' | 'status' | 'masterValue'>),
    validUntil: parts.clock.now() + 2000,
    lagBytes: null,
    status: () => ({}) as never,
    masterValue: null,
  });
  return parts.publisher.states.current.index;
}

const LEAD: RunnerInstruction = { kind: 'lead', term: 6 };

/** As a runner that obeys the newest answer, whose deadline is `inMs` away. */
function report({ parts }: World, index: number, inMs: number, change: Partial<RunnerReport> = {}): RunnerReport {
  const validUntil = millisToNanosText(parts.clock.now() + inMs);
  return runnerReport({ obeysIndex: index, armed: { index, term: 6, validUntil }, ...change });
}

/** Whether the second report lets the controller decide again. */
function isHeard(w: World, first: RunnerReport, second: () => RunnerReport): boolean {
  takeReport(w.parts, first);
  const before = w.pokes;
  const next = second();
  takeReport(w.parts, next);
  expect(w.parts.facts.runner).toMatchObject({ known: true, value: next });
  return w.pokes > before;
}

describe('a report of the runner', () => {
  it('is heard when it is the first', () => {
    const w = world();
    takeReport(w.parts, runnerReport());
    expect(w.pokes).toBe(1);
  });

  it('that names only a newer answer and a later deadline decides nothing', () => {
    const w = world();
    const index = say(w, LEAD);
    expect(isHeard(w, report(w, index, 1000), () => report(w, index + 1, 2000))).toBe(false);
  });

  it.each<[string, Partial<RunnerReport>]>([
    ['PostgreSQL ended', { postgres: { pid: null, startedAt: null, exit: null, inRecovery: null } }],
    ['it is armed no more', { armed: null }],
    ['its data is another', { data: { ...runnerReport().data, timeline: 2 } }],
    ['it fails', { error: { code: 'HAPG_X', message: 'x' } }],
  ])('is heard when %s', (_, change) => {
    const w = world();
    const index = say(w, LEAD);
    expect(isHeard(w, report(w, index, 1000), () => report(w, index, 1000, change))).toBe(true);
  });

  it('is heard when another instruction, published in between, is obeyed', () => {
    const w = world();
    const index = say(w, LEAD);
    const second = () => report(w, say(w, { ...LEAD, admits: 'replication' }), 1000);
    expect(isHeard(w, report(w, index, 1000), second)).toBe(true);
  });

  it('is heard when a deadline that had passed is one to come again', () => {
    const w = world();
    const index = say(w, LEAD);
    expect(isHeard(w, report(w, index, -1), () => report(w, index, 1000))).toBe(true);
  });
});

describe('timelines of the data', () => {
  const reported = (newest: number | null) => {
    const { data } = runnerReport();
    return runnerReport({ data: newest === null ? data : { ...data, timelines: { left: [], newest } } });
  };

  it('count since the first report of the same ones', () => {
    const { parts } = world();
    const since = (report: RunnerReport) => {
      takeReport(parts, report);
      return parts.facts.timelinesSince;
    };
    const first = since(reported(1));
    expect(since(reported(1))).toBe(first);
    const other = since(reported(2));
    expect(other).toBeGreaterThan(first);
    expect(since(reported(null))).toBeGreaterThan(other);
  });

  it('are newer than what Consul said until key master was asked for after them', async () => {
    const w = world();
    takeReport(w.parts, reported(1));
    expect(w.observation().timelinesAreNewer).toBe(true);
    await w.look();
    expect(w.observation().timelinesAreNewer).toBe(false);
    takeReport(w.parts, reported(2));
    expect(w.observation().timelinesAreNewer).toBe(true);
  });
});
