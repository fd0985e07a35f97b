import { connect, type Socket } from 'node:net';
import type { AliveCheckOptions } from './alive-check';
import type { ConnectionTarget } from './connection-target';
import type { ServerFailure } from './failure-kind';
import { outOfTime, toFailure } from './failures';
import {
  MessageReader,
  TERMINATE,
  authenticationOf,
  errorOf,
  queryMessage,
  rowOf,
  saslFirstMessage,
  saslMessage,
  startupMessage,
  type Message,
} from './probe-messages';
import { ScramLogin, type ScramKeyring } from './scram';

export type Row = readonly (string | null)[];

/** The server wants a login that is not spoken here: node-postgres must be asked. */
export class UnknownLogin extends Error {}

/** Read into one place, by one after the other: streams would make a new one of 64 KiB for every read. */
const READ_INTO = Buffer.allocUnsafeSlow(8_192);

/**
 * One connection, one login by SCRAM (or without any), one query and goodbye. By node-postgres, which is made for sessions, this took
 * more than twice as much of the processor; and a Master's controller does it every second.
 *
 * The query is sent together with the last word of the login, and the goodbye behind it: neither says anything that a server which
 * turns out to be the wrong one may not know.
 */
export class Probe {
  readonly #target: ConnectionTarget;
  readonly #keyring: ScramKeyring;
  readonly #options: AliveCheckOptions;
  readonly #sql: string;
  readonly #socket: Socket;
  readonly #reader = new MessageReader();
  readonly #login = new ScramLogin();
  #timer: NodeJS.Timeout | undefined;
  #reachedHost = false;
  #isAsked = false;
  #isVerified = false;
  #doing: 'connect' | 'query' | 'nothing' = 'connect';
  #row: Row | null = null;
  #resolve: (row: Row) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  private constructor(target: ConnectionTarget, keyring: ScramKeyring, sql: string, options: AliveCheckOptions) {
    this.#target = target;
    this.#keyring = keyring;
    this.#sql = sql;
    this.#options = options;
    const { host, port } = target;
    const where = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port, noDelay: true };
    const callback = (count: number): boolean => {
      this.#take(READ_INTO.subarray(0, count));
      return true;
    };
    this.#socket = connect({ ...where, onread: { buffer: READ_INTO, callback } })
      .on('connect', () => (this.#reachedHost = true))
      .on('error', (error) => this.#end(error))
      .on('close', () => this.#end(new Error('Connection terminated unexpectedly')));
  }

  /**
   * The first row of the answer.
   * @throws ServerFailure; UnknownLogin; the signal's reason when aborted. No socket is left then.
   */
  static async ask(
    target: ConnectionTarget,
    keyring: ScramKeyring,
    sql: string,
    { signal, ...options }: AliveCheckOptions & { readonly signal?: AbortSignal | undefined },
  ): Promise<Row> {
    signal?.throwIfAborted();
    const probe = new Probe(target, keyring, sql, options);
    const abort = (): void => probe.#fail(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      return await probe.#run();
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  #run(): Promise<Row> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#limit('connect', this.#options.connectTimeoutMs);
      const { user, database, applicationName = 'pg-health' } = this.#target;
      this.#socket.write(
        startupMessage({
          user,
          database,
          application_name: applicationName,
          client_encoding: 'UTF8',
          statement_timeout: String(this.#options.queryTimeoutMs),
        }),
      );
    });
  }

  #limit(doing: 'connect' | 'query', ms: number): void {
    clearTimeout(this.#timer);
    this.#doing = doing;
    this.#timer = setTimeout(() => this.#fail(outOfTime(this.#target, doing, ms, this.#reachedHost)), ms);
  }

  #take(bytes: Buffer): void {
    try {
      for (const message of this.#reader.take(bytes)) this.#hear(message);
    } catch (error) {
      this.#end(error);
    }
  }

  #hear({ type, body }: Message): void {
    if (this.#doing === 'nothing') return;
    if (type === 'E') this.#end(errorOf(body));
    else if (type === 'R') this.#logIn(body);
    else if (type === 'D') this.#row ??= rowOf(body);
    else if (type === 'Z') this.#isReady();
  }

  #logIn(body: Buffer): void {
    const said = authenticationOf(body);
    if (said.kind === 'other') throw new UnknownLogin('the server asks for another login than SCRAM-SHA-256');
    if (said.kind === 'scram') this.#socket.write(saslFirstMessage(this.#login.first));
    else if (said.kind === 'scram first') void this.#answer(said.text);
    else if (said.kind === 'scram last') {
      this.#login.verify(said.text);
      this.#isVerified = true;
    } else this.#loggedIn();
  }

  async #answer(serverFirst: string): Promise<void> {
    try {
      const last = saslMessage(await this.#login.answer(serverFirst, this.#keyring));
      if (this.#doing === 'nothing') return;
      this.#isAsked = true;
      this.#socket.write(Buffer.concat([last, queryMessage(this.#sql), TERMINATE]));
    } catch (error) {
      this.#end(error);
    }
  }

  #loggedIn(): void {
    // It took our word for it without giving its own.
    if (this.#isAsked && !this.#isVerified)
      throw new Error('SASL: the server has not shown that it knows the password');
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#socket.write(Buffer.concat([queryMessage(this.#sql), TERMINATE]));
  }

  /** Twice: for the query, and after it. */
  #isReady(): void {
    if (this.#doing === 'connect') this.#limit('query', this.#options.queryTimeoutMs);
    else if (this.#row === null) throw new Error('the server gave no row');
    else {
      this.#over();
      this.#resolve(this.#row);
    }
  }

  #end(error: unknown): void {
    this.#fail(error instanceof UnknownLogin ? error : toFailure(this.#target, error));
  }

  #fail(error: ServerFailure | Error): void {
    if (this.#doing === 'nothing') return;
    this.#over();
    this.#reject(error);
  }

  #over(): void {
    this.#doing = 'nothing';
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }
}
