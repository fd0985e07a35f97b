import { setTimeout as delay } from 'node:timers/promises';
import { checkHistory, type Verdict } from '@ha-postgres/checker';
import { replaceFile } from '../atomic-file';
import { waitUntilSettled } from '../settled';
import { EventList } from './event-list';
import { LiveView } from './live-view';
import { play } from './play';
import { describeReport, isSuccess, quietReport, reportOf, type Report } from './report';
import type { Scenario } from './scenario';
import type { Output } from './screen';
import { runningMaster, Stage } from './stage';
import type { Theatre } from './theatre';

export interface DemoOptions {
  /** Brings a cluster on the stage; what is opened is closed again by the demo. */
  readonly open: (signal: AbortSignal) => Promise<Theatre>;
  /** What that is, in words. */
  readonly opening: string;
  readonly scenario: Scenario;
  /** End after the scenario; else go on until told to end. */
  readonly once: boolean;
  /** Where to write the report, or null. */
  readonly json: string | null;
  readonly output: Output;
}

/** Long enough to see what the cluster does without a fault, or after one, in milliseconds. */
const QUIET_MS = 10_000;
const AFTERMATH_MS = 2_000;

/** Runs the demo from start to end; true if it showed what it is to show. Nothing of it is left running. */
export async function runDemo(options: DemoOptions, signal: AbortSignal): Promise<boolean> {
  const { output } = options;
  output.write(`${options.opening}\n`);
  const view = new LiveView(output);
  const events = new EventList((line) => view.event(line));
  const theatre = await options.open(signal);
  try {
    const { cluster, settleMs, hint } = theatre;
    const stage = new Stage(cluster, events);
    view.begin(stage);
    await waitUntilSettled(() => cluster.describe(), settleMs, signal);
    await stage.begin(signal);
    const report = await playOnce(stage, theatre, options.scenario, signal);
    if (!options.once) await untilTold(stage, report, hint, signal);
    return conclude(options, view, report(await stage.end()), theatre.remarks());
  } catch (error) {
    if (!signal.aborted) throw error;
    view.end();
    output.write(`Ended before the scenario was over: ${(signal.reason as Error).message}\n`);
    return false;
  } finally {
    view.end();
    await theatre.stop();
  }
}

type ReportWith = (verdict: Verdict) => Report;

async function playOnce(
  stage: Stage,
  { faults, rejoinMs }: Theatre,
  scenario: Scenario,
  signal: AbortSignal,
): Promise<ReportWith> {
  if (scenario === 'none') {
    await delay(QUIET_MS, undefined, { signal });
    return (verdict) => quietReport(runningMaster(stage.timeline.current) ?? '?', stage.history, verdict);
  }
  const fault = faults[scenario];
  if (fault === undefined) throw new Error(`${scenario} cannot be shown here`);
  const failover = await play(stage, { scenario, fault, rejoinMs }, signal);
  await delay(AFTERMATH_MS, undefined, { signal });
  return (verdict) => reportOf(failover, stage.history, verdict);
}

/** Goes on until Ctrl-C. */
async function untilTold(stage: Stage, report: ReportWith, hint: string, signal: AbortSignal): Promise<void> {
  for (const line of describeReport(report(checkHistory(stage.history))).slice(0, 1)) stage.events.add(line);
  stage.events.add(`goes on until Ctrl-C; ${hint}`);
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function conclude(options: DemoOptions, view: LiveView, report: Report, remarks: readonly string[]): boolean {
  view.end();
  for (const line of [...describeReport(report), ...remarks]) options.output.write(`${line}\n`);
  if (options.json !== null) replaceFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  return isSuccess(report);
}
