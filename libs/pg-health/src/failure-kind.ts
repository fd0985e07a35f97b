/** Why a server did not answer as it should. `FAILURE_MEANINGS` tells what each means to a caller. */
export type FailureKind =
  | 'refused'
  | 'starting-up'
  | 'recovering'
  | 'shutting-down'
  | 'too-many-connections'
  | 'authentication'
  | 'timeout'
  | 'hung'
  | 'lost'
  | 'other';

interface Meaning {
  /** Whether PostgreSQL itself spoke: then the server runs, whatever it said. */
  readonly serverAnswered: boolean;
  readonly meaning: string;
}

/** What each kind of failure means to a caller. */
export const FAILURE_MEANINGS: Readonly<Record<FailureKind, Meaning>> = {
  refused: {
    serverAnswered: false,
    meaning: 'Nobody listens at the address: the postmaster is not running (or has not opened its socket yet).',
  },
  'starting-up': {
    serverAnswered: true,
    meaning: 'The postmaster runs and reads its WAL; it will take connections by itself. Wait, do not restart it.',
  },
  recovering: {
    serverAnswered: true,
    meaning:
      'Recovery after a crash, or a standby that is not consistent yet or has hot_standby off: no connections for now.',
  },
  'shutting-down': {
    serverAnswered: true,
    meaning: 'Somebody stops the server; sessions that are still open may commit until it has ended.',
  },
  'too-many-connections': {
    serverAnswered: true,
    meaning: 'The server is alive and full (of the database, the role or the whole server). It takes writes.',
  },
  authentication: {
    serverAnswered: true,
    meaning: 'The server is alive and refuses these credentials or this client: a configuration error, no outage.',
  },
  timeout: {
    serverAnswered: false,
    meaning:
      'No network connection was made in time (or there is no route): host or network is down, or the accept queue of a frozen server is full.',
  },
  hung: {
    serverAnswered: false,
    meaning:
      'The network connection stands and PostgreSQL says nothing in time: frozen, starved, or its disk hangs. It may thaw and go on writing: fence it, do not just route past it.',
  },
  lost: {
    serverAnswered: false,
    meaning:
      'An open connection ended: the server crashed, stopped, or ended this one session. A new check tells which.',
  },
  other: {
    serverAnswered: false,
    meaning:
      'None of the above; the message tells (a missing database, a refused statement, TLS, a name that does not resolve).',
  },
};

/** Whether such a failure was spoken by PostgreSQL itself, so that the server runs for certain. */
export function hasServerAnswered(kind: FailureKind): boolean {
  return FAILURE_MEANINGS[kind].serverAnswered;
}

/** The one error that this library throws for a server's failure; the original error is its `cause`. */
export class ServerFailure extends Error {
  override readonly name = 'ServerFailure';

  constructor(
    readonly kind: FailureKind,
    message: string,
    options: { readonly cause?: unknown; readonly sqlState?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.sqlState = options.sqlState;
  }

  /** The SQLSTATE that PostgreSQL gave, five characters, if it was PostgreSQL that failed. */
  readonly sqlState: string | undefined;
}
