import { Connection, type ConnectionConfig } from 'pg';
import type { ConnectionTarget } from './connection-target';
import { ScramKeyring, ScramLogin, isPlainPassword } from './scram';

const MECHANISM = 'SCRAM-SHA-256';

/** One for each target that is asked again and again; it goes when the target does. */
const keyrings = new WeakMap<ConnectionTarget, ScramKeyring>();

/** What is known of a target's password; null where it must be prepared, or is none: node-postgres then says so. */
export function keyringOf(target: ConnectionTarget): ScramKeyring | null {
  const known = keyrings.get(target);
  if (known !== undefined) return known;
  if (!isPlainPassword(target.password)) return null;
  const keyring = new ScramKeyring(target.password);
  keyrings.set(target, keyring);
  return keyring;
}

/**
 * node-postgres' connection, but that it answers SCRAM by itself. node-postgres derives the keys at every login, and
 * passes each step to the thread pool: three quarters of what an alive check cost. What is not SCRAM, and passwords that
 * have to be prepared, are left to node-postgres.
 */
export class ScramConnection extends Connection {
  readonly #keyring: ScramKeyring | null;
  #login: ScramLogin | null = null;

  constructor(target: ConnectionTarget, config: ConnectionConfig) {
    super(config);
    this.#keyring = keyringOf(target);
  }

  /** What the parser read is emitted as events, to which the client listens: those that are answered here stay here. */
  override emit(name: string | symbol, ...given: unknown[]): boolean {
    try {
      if (this.#takes(name, given[0])) return true;
    } catch (error) {
      return super.emit('error', error);
    }
    return super.emit(name, ...given);
  }

  #takes(name: string | symbol, message: unknown): boolean {
    if (this.#keyring === null) return false;
    if (name === 'authenticationSASL') return this.#begin(message as { readonly mechanisms: readonly string[] });
    if (this.#login === null) return false;
    const { data } = (message ?? {}) as { readonly data?: string };
    if (name === 'authenticationSASLContinue') void this.#answer(this.#login, this.#keyring, data ?? '');
    else if (name === 'authenticationSASLFinal') this.#login.verify(data ?? '');
    else return false;
    return true;
  }

  #begin({ mechanisms }: { readonly mechanisms: readonly string[] }): boolean {
    if (!mechanisms.includes(MECHANISM)) return false;
    this.#login = new ScramLogin();
    const first = Buffer.from(this.#login.first);
    this.#say(Buffer.from(`${MECHANISM}\0`), lengthOf(first), first);
    return true;
  }

  async #answer(login: ScramLogin, keyring: ScramKeyring, serverFirst: string): Promise<void> {
    try {
      this.#say(Buffer.from(await login.answer(serverFirst, keyring)));
    } catch (error) {
      super.emit('error', error);
    }
  }

  /** SASLInitialResponse and SASLResponse: `p`, the length with itself, the content. */
  #say(...content: readonly Buffer[]): void {
    const body = Buffer.concat(content);
    const length = Buffer.alloc(4);
    length.writeInt32BE(body.length + 4);
    if (this.stream.writable) this.stream.write(Buffer.concat([Buffer.from('p'), length, body]));
  }
}

function lengthOf(content: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeInt32BE(content.length);
  return length;
}
