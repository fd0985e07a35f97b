import type { Parts } from '../parts';

/**
 * Replay waits for a query that conflicts with it, by default up to 30 s, and a promotion with it. The sessions of a
 * standby's readers end anyway when it becomes Master: load balancers close them. Only those within a transaction can be
 * in the way; a superuser's cannot be ended by the controller's user.
 */
const END_READERS = `SELECT pg_terminate_backend(a.pid) FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid
  WHERE a.backend_type = 'client backend' AND a.xact_start IS NOT NULL AND NOT r.rolsuper AND r.rolname <> current_user`;

/** Ends the transactions of clients while PostgreSQL is still in recovery though it has been told to end it. */
export async function endReadersInTheWay({ postgres, log }: Parts, term: number): Promise<void> {
  const ended = await postgres.connection.query(END_READERS);
  if (ended.length > 0)
    log.warn(
      { event: 'promote.readers-ended', term, count: ended.length },
      'the promotion waits for replay: ends the transactions that may hold it up',
    );
}
