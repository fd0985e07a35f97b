import type { ControllerState, RoleAnswer } from '@ha-postgres/cluster-state';
import { AskerGone, VERSION, jsonError, type Metrics } from '@ha-postgres/service-kit';
import type { Request, RequestHandler, Response } from 'express';
import type { Controller } from './controller-client';
import { mergeMetrics } from './merge-metrics';
import { readLongPoll, readWanted } from './query';
import { answerReadiness, whyStale, type Moment, type Wanted } from './readiness';
import { Refusal, sendJson } from './refusal';
import type { Snapshot, StateSource } from './subscription';

/** db-controller gathers its metrics in memory: an answer takes milliseconds or does not come. */
const METRICS_TIMEOUT_MS = 1_000;

/** 200 or 503 and why: for load balancers, probes and people. */
export function answerReady(
  source: StateSource,
  now: () => Moment,
  roles: 'any' | NonNullable<Wanted['role']>,
): RequestHandler {
  return (request, response) => {
    const readiness = answerReadiness(source.current, readWanted(request, roles), now());
    const { state } = source.current;
    sendJson(response, readiness.ready ? 200 : 503, {
      ...readiness,
      node: state?.node ?? null,
      role: state?.role ?? null,
    });
  };
}

/** The part of the state that tells a runner what to do; deadline and boot are passed on as they came. */
function roleAnswerOf(state: ControllerState): Omit<RoleAnswer, 'role'> & Pick<ControllerState, 'role'> {
  const { index, bootId, node, role, validUntil, term, instruction, master } = state;
  return { index, bootId, node, role, validUntil, term, instruction, master };
}

/** Waits if the asker wants to; undefined if it has gone away meanwhile. */
async function awaitNews(source: StateSource, request: Request, response: Response): Promise<Snapshot | undefined> {
  const longPoll = readLongPoll(request);
  if (longPoll === undefined) return source.current;
  const gone = AskerGone.of(response);
  try {
    return await source.waitBeyond(longPoll.index, longPoll.waitMs, gone);
  } catch (error) {
    if (gone.aborted) return undefined;
    throw error;
  }
}

function sendRoleAsJson(response: Response, { state }: Snapshot): void {
  if (state === null) sendJson(response, 503, jsonError('HAPG_UNDECIDED', 'db-controller has not told its state yet'));
  else if (state.role === null)
    sendJson(response, 503, { ...jsonError('HAPG_UNDECIDED', 'the role is not decided'), ...roleAnswerOf(state) });
  else sendJson(response, 200, roleAnswerOf(state));
}

/** Text cannot carry its own validity, as JSON does: past it there is no answer. */
function sendRoleAsText(response: Response, snapshot: Snapshot, now: Moment): void {
  const why = whyStale(snapshot, now);
  const role = snapshot.state?.role;
  if (why !== undefined) throw new Refusal(503, 'HAPG_STALE', why);
  if (role === undefined || role === null) throw new Refusal(503, 'HAPG_UNDECIDED', 'the role is not decided');
  response.type('text').end(role);
}

/** The role as text, or as JSON with all that the runner needs; with `?index=` once there is news. */
export function answerRole(source: StateSource, now: () => Moment): RequestHandler {
  return async (request, response) => {
    const wantsJson = request.accepts(['text', 'json']) === 'json';
    const snapshot = await awaitNews(source, request, response);
    if (snapshot === undefined) return;
    if (wantsJson) sendRoleAsJson(response, snapshot);
    else sendRoleAsText(response, snapshot, now());
  };
}

/** Everything that is known, and how far it may be believed. */
export function answerStatus(source: StateSource, now: () => Moment): RequestHandler {
  return (_, response) => {
    const { current, isConnected } = source;
    const why = whyStale(current, now());
    const roleServer = {
      version: VERSION,
      controllerConnected: isConnected,
      stateValid: why === undefined,
      why: why ?? '',
    };
    if (current.state === null) sendJson(response, 503, { ...jsonError('HAPG_UNDECIDED', why ?? ''), roleServer });
    else sendJson(response, 200, { ...current.state, roleServer });
  };
}

async function controllerMetrics(controller: Controller): Promise<string> {
  try {
    const { status, body } = await controller.ask({ method: 'GET', path: '/metrics', timeoutMs: METRICS_TIMEOUT_MS });
    return status === 200 ? body : '';
  } catch {
    // Its absence is itself a metric of ours: hapg_role_server_controller_connected.
    return '';
  }
}

/** The metrics of this service and of db-controller, which has no door of its own. */
export function answerMetrics(metrics: Metrics, controller: Controller): RequestHandler {
  return async (_, response) => {
    const [own, theirs] = await Promise.all([metrics.text(), controllerMetrics(controller)]);
    response.set('content-type', metrics.contentType).end(mergeMetrics(own, theirs));
  };
}
