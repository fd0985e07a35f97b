import { classifyFailure, sqlStateOf } from './classify-failure';
import { describeTarget, type ConnectionTarget } from './connection-target';
import { ServerFailure } from './failure-kind';

/** What went wrong with a connection, as the failure of its server. */
export function toFailure(target: ConnectionTarget, error: unknown): ServerFailure {
  if (error instanceof ServerFailure) return error;
  const sqlState = sqlStateOf(error);
  return new ServerFailure(classifyFailure(error), `${describeTarget(target)}: ${messageOf(error)}`, {
    cause: error,
    ...(sqlState === undefined ? {} : { sqlState }),
  });
}

/** @param doing what was waited for, as the message says it */
export function outOfTime(
  target: ConnectionTarget,
  doing: string,
  timeoutMs: number,
  reachedHost: boolean,
): ServerFailure {
  return reachedHost
    ? new ServerFailure('hung', `${describeTarget(target)}: ${doing}: no answer for ${timeoutMs} ms`)
    : new ServerFailure('timeout', `${describeTarget(target)}: not reached in ${timeoutMs} ms`);
}

/** An AggregateError of Node (one failure for each address of a name) has an empty message of its own. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
