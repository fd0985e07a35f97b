import { createHash, createHmac, pbkdf2, randomUUID, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(pbkdf2);

/** As much as node-postgres allows a server: more would let it keep a processor busy. */
const ITERATIONS_MAX = 100_000;

/** What follows from password, salt and iteration count alone, and so is the same at every login. */
export interface ScramKeys {
  readonly clientKey: Buffer;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

interface ServerFirst {
  readonly nonce: string;
  readonly salt: string;
  readonly iterations: number;
}

const hmac = (key: Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/**
 * The keys of one user's password. Deriving them is what SCRAM makes expensive for whoever guesses; whoever knows the
 * password and logs in every second (with a salt that stays, until the password is changed) need not do it again.
 */
export class ScramKeyring {
  #last: { readonly salt: string; readonly iterations: number; readonly keys: Promise<ScramKeys> } | undefined;

  /** @param password of printable ASCII: see {@link isPlainPassword} */
  constructor(private readonly password: string) {}

  keys({ salt, iterations }: ServerFirst): Promise<ScramKeys> {
    if (this.#last?.salt === salt && this.#last.iterations === iterations) return this.#last.keys;
    const keys = this.#derive(salt, iterations);
    this.#last = { salt, iterations, keys };
    return keys;
  }

  async #derive(salt: string, iterations: number): Promise<ScramKeys> {
    const salted = await derive(this.password, Buffer.from(salt, 'base64'), iterations, 32, 'sha256');
    const clientKey = hmac(salted, 'Client Key');
    const storedKey = createHash('sha256').update(clientKey).digest();
    return { clientKey, storedKey, serverKey: hmac(salted, 'Server Key') };
  }
}

/** Whether SASLprep (RFC 4013) leaves the password as it is. */
export function isPlainPassword(password: string | undefined): password is string {
  return password !== undefined && /^[\x20-\x7e]+$/.test(password);
}

/** One login by SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding: texts in, texts out. */
export class ScramLogin {
  readonly #nonce: string;
  #serverSignature: Buffer | undefined;

  constructor(nonce: string = randomUUID()) {
    this.#nonce = nonce;
  }

  /** The client's first message. PostgreSQL takes the user from the startup message, not from here. */
  get first(): string {
    return `n,,${this.#firstBare}`;
  }

  get #firstBare(): string {
    return `n=*,r=${this.#nonce}`;
  }

  /** The client's last message. @throws Error if the server's first is none, or not to ours. */
  async answer(serverFirst: string, keyring: ScramKeyring): Promise<string> {
    const parsed = parseServerFirst(serverFirst);
    if (!parsed.nonce.startsWith(this.#nonce) || parsed.nonce === this.#nonce)
      throw new Error('SASL: the nonce is not an answer to ours');
    const { clientKey, storedKey, serverKey } = await keyring.keys(parsed);
    // `biws` says that there is no channel binding.
    const last = `c=biws,r=${parsed.nonce}`;
    const all = `${this.#firstBare},${serverFirst},${last}`;
    this.#serverSignature = hmac(serverKey, all);
    return `${last},p=${xor(clientKey, hmac(storedKey, all)).toString('base64')}`;
  }

  /** @throws Error if the server does not show that it knows the password too. */
  verify(serverLast: string): void {
    const shown = Buffer.from(/^v=([^,]+)/.exec(serverLast)?.[1] ?? '', 'base64');
    const expected = this.#serverSignature;
    if (shown.length !== expected?.length || !timingSafeEqual(shown, expected))
      throw new Error('SASL: the server does not know the password');
  }
}

function parseServerFirst(text: string): ServerFirst {
  const [, nonce, salt, count] = /^r=([!-+\--~]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9][0-9]*)(?:,|$)/.exec(text) ?? [];
  if (nonce === undefined || salt === undefined) throw new Error('SASL: not a first message of a server');
  const iterations = Number(count);
  if (iterations > ITERATIONS_MAX)
    throw new Error(`SASL: ${iterations} iterations are asked for, more than ${ITERATIONS_MAX}`);
  return { nonce, salt, iterations };
}

function xor(a: Buffer, b: Buffer): Buffer {
  return Buffer.from(a.map((byte, i) => byte ^ (b[i] ?? 0)));
}
