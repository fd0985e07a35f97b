import { checkpoint } from '@ha-postgres/pg-health';
import { messageOf } from '@ha-postgres/service-kit';
import type { Parts } from '../parts';

const DELAY_MS = 1000;
const RETRY_MS = 1000;
const TIMEOUT_MS = 600_000;

/**
 * Of a Master that took over, until its control file tells the timeline that it writes; also by a controller that was restarted
 * meanwhile. PostgreSQL makes one by itself, but may take almost `checkpoint_timeout` (5 min) for it. Until then `pg_rewind` of PostgreSQL ≤ 15 says "no rewind required", and `pg_control` shows the old timeline. Not at once:
 * the first writes of clients that have just come over would wait behind its writing.
 */
export async function checkpointInBackground(parts: Parts, term: number): Promise<void> {
  const { facts, clock } = parts;
  await clock.pause(DELAY_MS);
  // Nobody can be rewound to this Master before one is complete.
  while (facts.hold?.facts.term === term && !isComplete(parts) && !(await makeCheckpoint(parts)))
    await clock.pause(RETRY_MS);
}

function isComplete({ facts: { runner }, postgres }: Parts): boolean {
  return runner.known && runner.value.data.timeline !== null && runner.value.data.timeline === postgres.sight.timeline;
}

/** Over a connection of its own: everything else would wait behind it. True if it came to its end. */
export async function makeCheckpoint({ server, config, log }: Parts, limitMs: number = TIMEOUT_MS): Promise<boolean> {
  const connection = server.hold({
    connectTimeoutMs: config.connectTimeout,
    queryTimeoutMs: limitMs,
    onLost: () => undefined,
  });
  try {
    await connection.open();
    await checkpoint(connection, limitMs);
    return true;
  } catch (error) {
    log.warn({ event: 'postgres.checkpoint-failed', why: messageOf(error) }, 'a checkpoint failed');
    return false;
  } finally {
    await connection.close();
  }
}
