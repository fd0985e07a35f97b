import { fenceStart } from '@ha-postgres/consul-election';
import { ServerFailure, promote } from '@ha-postgres/pg-health';
import type { Effects } from '@ha-postgres/failover';
import { errors } from '../errors';
import { failpoint } from '../failpoint';
import { endReadersInTheWay } from './readers-in-the-way';
import { assertSettings } from './settings-in-place';
import { applyWalTail } from './wal-tail';
import type { Parts } from '../parts';

const POLL_MS = 5;
/** Promotions of its own in a row that a node may have failed to tell. */
const LED_MAX = 20;
/** A promotion takes some 100 ms; one that takes longer is likely to wait for a reader. */
const READERS_MS = 300;
/** SIGKILL takes some milliseconds, on a starved machine some hundred; whatever is left then hangs in the kernel. */
const KILL_LIMIT_MS = 2000;
/** "recovery is not in progress" */
const OBJECT_NOT_IN_PREREQUISITE_STATE = '55000';
const NOT_HELD = 'the lock is not held for this term';
const LEASE_ENDS = 'the lease is about to end';
const ENDING = 'the hold is being ended';

export function postgresEffects(parts: Parts): Pick<Effects, 'promote' | 'killPostgres'> {
  const { facts, disk, config, log, policy, postgres, clock, processes } = parts;
  return {
    promote: async ({ term }) => {
      assertRight(parts, term);
      await assertSettings(parts, term);
      // Meanwhile the hold may have been ended as one that never promoted, with PostgreSQL running on as a standby; or the runner was
      // restarted and is not armed any more. Both are the world's doing.
      const lapsed = obstacleToPromotion(parts, term);
      if (lapsed !== null) throw errors.HAPG_PROMOTE_WITHOUT_RIGHT(`promotion for term ${term}: ${lapsed}`);
      const { ledTerm, dataTerm, led } = disk.record;
      // It has received from nobody since before it was armed, so what its runner has told is as it is.
      const timeline = facts.runner.known ? facts.runner.value.data.timelines?.newest : undefined;
      const own = {
        term,
        parentTerm: facts.hold?.facts.parentTerm ?? dataTerm,
        ...(timeline === undefined ? {} : { timeline }),
      };
      disk.update({ ledTerm: term, dataTerm: term, led: [...led, own].slice(-LED_MAX) });
      facts.hold?.promoting();
      log.info({ event: 'postgres.promote', term, lsn: postgres.sight.lsn?.toString(16) }, 'promotes PostgreSQL');
      await failpoint(parts, 'before-promote');
      // Looked at again after each write to disk, which may have taken its time.
      for (const write of [() => undefined, () => applyWalTail(parts, term)]) {
        write();
        const obstacle = obstacleToPromotion(parts, term);
        if (obstacle === null) continue;
        // It was not asked for: this node has led nothing, and its data is of the term that it was of.
        disk.update({ ledTerm, dataTerm, led });
        throw errors.HAPG_PROMOTE_WITHOUT_RIGHT(`promotion for term ${term}: ${obstacle}`);
      }
      await promote(postgres.connection).catch((error: unknown) => {
        if (!(error instanceof ServerFailure) || error.sqlState !== OBJECT_NOT_IN_PREREQUISITE_STATE) throw error;
      });
      const until = clock.now() + policy.promoteTimeoutMs;
      // A hold that ended must not keep the next one from promoting.
      const isHeld = () => facts.hold?.facts.term === term;
      let endsReadersAt = clock.now() + READERS_MS;
      while (isHeld() && clock.now() < until && (await isInRecovery(parts))) {
        if (clock.now() >= endsReadersAt) {
          await endReadersInTheWay(parts, term);
          endsReadersAt = clock.now() + READERS_MS;
        }
        await clock.pause(POLL_MS);
      }
      await postgres.readAnew();
    },

    killPostgres: async () => {
      const until = clock.now() + KILL_LIMIT_MS;
      log.warn(
        { event: 'fence.second', dataDir: config.dataDir },
        'the runner did not stop PostgreSQL in time: kills its processes',
      );
      do {
        if (processes.kill().length > 0) facts.seesPostgres = true;
        if (processes.list().length === 0) {
          if (facts.seesPostgres) facts.ownKillAt = clock.now();
          else letTheLeaseRunOut(parts);
          return;
        }
        await clock.pause(POLL_MS);
      } while (clock.now() < until);
      letTheLeaseOfTheStuckRunOut(parts);
    },
  };
}

/**
 * A controller that never saw a process of PostgreSQL, such as one in a PID namespace of its own, has no proof that none is
 * left. It frees nothing, and gives up the lease by time: by its end the runner has fenced by itself.
 */
function letTheLeaseRunOut({ facts, log, config }: Parts): void {
  facts.hold?.abandon();
  log.error(
    { event: 'fence.blind', dataDir: config.dataDir },
    'no process of PostgreSQL was ever seen from here, so none can be said to be gone: the lease runs out instead (controller and runner must share a PID namespace and a user)',
  );
}

/**
 * Processes that outlive SIGKILL hang in the kernel, in storage that does not answer, and may do so for ever. None of them comes
 * back to its own code: when the kernel lets go of one it ends, and can tell no client anything. But it is there, and what it was
 * writing may still be written; so nothing is released, and the lease runs out for the others.
 */
function letTheLeaseOfTheStuckRunOut({ facts, log, processes }: Parts): void {
  facts.hold?.abandon();
  log.error(
    { event: 'fence.stuck', left: processes.list() },
    'processes of the data directory outlive SIGKILL: they hang in the kernel, and the lease runs out instead',
  );
}

/** Asserted in production too: nobody promotes without the lock, before the predecessor's lease is over, or unarmed. */
function assertRight(parts: Parts, term: number): void {
  const obstacle = obstacleToPromotion(parts, term);
  if (obstacle === null) return;
  const error = errors.HAPG_PROMOTE_WITHOUT_RIGHT(`promotion for term ${term}: ${obstacle}`);
  // Time that ran out between decision and act is the world's doing; everything else is ours.
  if (![LEASE_ENDS, NOT_HELD, ENDING].includes(obstacle)) parts.fail(error);
  throw error;
}

function obstacleToPromotion({ facts, disk, times, clock }: Parts, term: number): string | null {
  const hold = facts.hold?.view;
  const armed = facts.runner.known ? facts.runner.value.armed : null;
  const now = clock.now();
  if (hold?.term !== term || hold.lost) return NOT_HELD;
  if (facts.ending) return ENDING;
  if (now < hold.waitUntil) return "the predecessor's lease is not over";
  if (now >= fenceStart(hold.endsAt, times)) return LEASE_ENDS;
  if (now < disk.record.promisedUntil) return 'a promise not to promote is pending';
  return armed?.term === term ? null : 'the runner is not armed for this term';
}

async function isInRecovery({ postgres }: Parts): Promise<boolean> {
  const [row] = await postgres.connection.query<{ recovering: boolean }>('SELECT pg_is_in_recovery() AS recovering');
  return row?.recovering === true;
}
