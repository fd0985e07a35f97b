import { setTimeout as delay } from 'node:timers/promises';
import { checkHistory, type Verdict } from '@ha-postgres/checker';
import { replaceFile } from '../atomic-file';
import { SETTLE_MS } from '../carry-out';
import type { ClusterOptions } from '../options';
import { ownCluster } from '../owner';
import { waitUntilSettled } from '../settled';
import { EventList } from './event-list';
import { LiveView } from './live-view';
import { play } from './play';
import { describeReport, isSuccess, quietReport, reportOf, type Report } from './report';
import type { Scenario } from './scenario';
import type { Output } from './screen';
import { runningMaster, Stage } from './stage';

export interface DemoOptions {
  readonly cluster: ClusterOptions;
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
  const size = options.cluster;
  output.write(
    `Starting ${size.nodes} nodes, ${size.loadBalancers} load balancers, ${size.consulServers} Consul server(s) in ${size.workdir}\n`,
  );
  const view = new LiveView(output);
  const events = new EventList((line) => view.event(line));
  const { cluster, stop } = await ownCluster(size, { onDown: () => process.kill(process.pid, 'SIGTERM'), signal });
  try {
    const stage = new Stage(cluster, events);
    view.begin(stage);
    await waitUntilSettled(() => cluster.describe(), SETTLE_MS, signal);
    await stage.begin(signal);
    const report = await playOnce(stage, options.scenario, signal);
    if (!options.once) await untilTold(stage, report, signal);
    return conclude(options, view, report(await stage.end()));
  } catch (error) {
    if (!signal.aborted) throw error;
    view.end();
    output.write(`Ended before the scenario was over: ${(signal.reason as Error).message}\n`);
    return false;
  } finally {
    view.end();
    // What ends from here on is meant to.
    cluster.removeAllListeners();
    await stop(0);
  }
}

type ReportWith = (verdict: Verdict) => Report;

async function playOnce(stage: Stage, scenario: Scenario, signal: AbortSignal): Promise<ReportWith> {
  if (scenario === 'none') {
    await delay(QUIET_MS, undefined, { signal });
    return (verdict) => quietReport(runningMaster(stage.timeline.current) ?? '?', stage.history, verdict);
  }
  const failover = await play(stage, scenario, signal);
  await delay(AFTERMATH_MS, undefined, { signal });
  return (verdict) => reportOf(failover, stage.history, verdict);
}

/** Goes on until Ctrl-C. */
async function untilTold(stage: Stage, report: ReportWith, signal: AbortSignal): Promise<void> {
  for (const line of describeReport(report(checkHistory(stage.history))).slice(0, 1)) stage.events.add(line);
  stage.events.add('goes on until Ctrl-C; drive it with tools/cluster, see --help there');
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function conclude(options: DemoOptions, view: LiveView, report: Report): boolean {
  view.end();
  for (const line of describeReport(report)) options.output.write(`${line}\n`);
  if (options.json !== null) replaceFile(options.json, `${JSON.stringify(report, null, 2)}\n`);
  return isSuccess(report);
}
