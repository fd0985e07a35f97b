import { setTimeout as delay } from 'node:timers/promises';
import { firstOnConnectionAfter, longestGapAfter } from '@ha-postgres/checker';
import { monotonicNow, type Millis } from '@ha-postgres/service-kit';
import { readNodeStatus } from '../node-status';
import { waitFor } from '../waiting';
import type { Failover } from './report';
import { DOWN_MS, type Fault, type Scenario } from './scenario';
import { runningMaster, type Stage } from './stage';

const NEW_MASTER_MS = 60_000;

/** A fault that is to be played. */
export interface Act {
  readonly scenario: Exclude<Scenario, 'none'>;
  readonly fault: Fault;
  /** How long the old Master's node may take to stream again. */
  readonly rejoinMs: number;
}

/** Plays one fault to its end: until the old Master's node is what it is to be, or time has run out (both are told as events). */
export async function play(stage: Stage, act: Act, signal: AbortSignal): Promise<Failover> {
  const { events, timeline } = stage;
  const { scenario, fault } = act;
  const before = timeline.current;
  const oldMaster = runningMaster(before);
  if (oldMaster === null) throw new Error('there is no running Master to strike');
  const oldTerm = before?.value?.term ?? 0;
  events.add(fault.describe(oldMaster));
  const struckAt = monotonicNow();
  const struckWall = Date.now();
  await fault.strike(oldMaster);

  await untilRouted(stage, struckAt, oldTerm, signal);
  if (fault.mend !== null) {
    await delay(Math.max(0, struckAt + DOWN_MS - monotonicNow()), undefined, { signal });
    events.add(`${oldMaster} ${fault.mend.text}`);
    await fault.mend.carryOut(oldMaster);
  }
  const { rejoinedAt, blocked } = await oldMasterEnds(stage, act, { oldMaster, struckAt }, signal);

  const isNext = (term: number | undefined) => term !== undefined && term > oldTerm;
  const detected = fault.noticedAt(oldMaster, struckWall);
  return {
    scenario,
    struckAt,
    oldMaster,
    detectedAt: detected === null ? null : struckAt + (detected - struckWall),
    released: timeline.firstAfter(struckAt, ({ value }) => value?.term === oldTerm && value.released),
    elected: timeline.firstAfter(struckAt, ({ value, isHeld }) => isHeld && isNext(value?.term)),
    promoted: timeline.firstAfter(struckAt, (sight) => runningMaster(sight) !== null && isNext(sight.value?.term)),
    rejoinedAt,
    blocked,
  };
}

/** Waits for a new Master and the first acknowledgement on a connection made since; says so if there is none in time. */
async function untilRouted(stage: Stage, struckAt: Millis, oldTerm: number, signal: AbortSignal): Promise<void> {
  const { timeline, history, events } = stage;
  try {
    const elected = await waitFor(
      () =>
        timeline.firstAfter(
          struckAt,
          ({ value, isHeld }) => isHeld && (value?.term ?? 0) > oldTerm && value?.phase === 'running',
        ),
      { what: 'a new Master', timeoutMs: NEW_MASTER_MS, everyMs: 20, signal },
    );
    await waitFor(() => firstOnConnectionAfter(history, Math.min(elected.at, struckAt + NEW_MASTER_MS)), {
      what: 'an insert on the new Master',
      timeoutMs: NEW_MASTER_MS,
      everyMs: 20,
      signal,
    });
    events.add(
      `inserts go to ${elected.value?.node ?? '?'}: write outage ${Math.round(longestGapAfter(history, struckAt) ?? 0)} ms`,
    );
  } catch (error) {
    signal.throwIfAborted();
    events.add((error as Error).message);
  }
}

/** Waits until the old Master's node streams as a Replica again, or says which commits keep it from that. */
async function oldMasterEnds(
  stage: Stage,
  { fault, rejoinMs }: Act,
  { oldMaster, struckAt }: { oldMaster: string; struckAt: Millis },
  signal: AbortSignal,
): Promise<Pick<Failover, 'rejoinedAt' | 'blocked'>> {
  const node = stage.cluster.describe().nodes.find(({ name }) => name === oldMaster);
  const look = async () => {
    if (fault.isBack?.(oldMaster) === false) return null;
    const status = node === undefined ? null : await readNodeStatus(node.roleServerUrl);
    if (status?.role === 'Replica' && status.streaming) return { rejoinedAt: monotonicNow(), blocked: null };
    const isRefused = status?.runnerPhase === 'blocked' && status.rejoin?.startsWith('HAPG_REJOIN_WOULD_LOSE') === true;
    return isRefused ? { rejoinedAt: null, blocked: status.rejoin } : null;
  };
  try {
    const end = await waitFor(look, {
      what: `${oldMaster} to stream as a Replica`,
      timeoutMs: rejoinMs,
      everyMs: 100,
      signal,
    });
    stage.events.add(
      end.blocked === null
        ? `${oldMaster} streams as a Replica, ${Math.round(end.rejoinedAt - struckAt)} ms after the fault`
        : `${oldMaster} stays blocked: ${end.blocked}`,
    );
    return end;
  } catch (error) {
    signal.throwIfAborted();
    stage.events.add((error as Error).message);
    return { rejoinedAt: null, blocked: null };
  }
}
