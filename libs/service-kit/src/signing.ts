import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Headers of a signed request or answer. */
export const NONCE_HEADER = 'x-hapg-nonce';
export const SIGNATURE_HEADER = 'x-hapg-signature';

/** Header names in lower case, as Node's http module gives them. */
export type HeaderValues = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface SignableRequest {
  /** In upper case, such as `POST`. */
  readonly method: string;
  /** With the query string, as sent on the request line. */
  readonly path: string;
  /** The bytes of the body as sent, not a parsed and printed form of them. */
  readonly body: string;
}

export interface SignedHeaders {
  readonly [NONCE_HEADER]: string;
  readonly [SIGNATURE_HEADER]: string;
}

export type Verdict =
  | { readonly ok: true; readonly nonce: string }
  | { readonly ok: false; readonly why: 'unsigned' | 'bad-signature' | 'replayed' };

const NONCE = /^[0-9a-f]{32}$/;
const SIGNATURE = /^[0-9a-f]{64}$/;

/** None of the parts before the last can hold a newline, so two different messages never look the same. */
function signatureOf(secret: string, parts: readonly string[]): Buffer {
  return createHmac('sha256', secret).update(parts.join('\n')).digest();
}

function headersFor(secret: string, nonce: string, parts: readonly string[]): SignedHeaders {
  return { [NONCE_HEADER]: nonce, [SIGNATURE_HEADER]: signatureOf(secret, parts).toString('hex') };
}

function matches(secret: string, parts: readonly string[], signature: string): boolean {
  return timingSafeEqual(signatureOf(secret, parts), Buffer.from(signature, 'hex'));
}

function requestParts({ method, path, body }: SignableRequest, nonce: string): readonly string[] {
  return ['request', method, path, nonce, body];
}

function headerOf(headers: HeaderValues, name: string, form: RegExp): string | undefined {
  const value = headers[name];
  return typeof value === 'string' && form.test(value) ? value : undefined;
}

/** Signs a request with a fresh nonce, which the answer will be bound to. */
export function signRequest(secret: string, request: SignableRequest): { nonce: string; headers: SignedHeaders } {
  const nonce = randomBytes(16).toString('hex');
  return { nonce, headers: headersFor(secret, nonce, requestParts(request, nonce)) };
}

/** Signs an answer to the request that carried `nonce`. */
export function signAnswer(secret: string, nonce: string, body: string): SignedHeaders {
  return headersFor(secret, nonce, ['answer', nonce, body]);
}

/** Whether `body` is an answer to the request that carried `nonce`, from someone who knows the secret. */
export function verifyAnswer(secret: string, nonce: string, headers: HeaderValues, body: string): boolean {
  const signature = headerOf(headers, SIGNATURE_HEADER, SIGNATURE);
  const answered = headerOf(headers, NONCE_HEADER, NONCE);
  return signature !== undefined && answered === nonce && matches(secret, ['answer', nonce, body], signature);
}

/** How many nonces are remembered: about 20 minutes of the busiest cluster, in about 1 MiB. */
const REMEMBERED_NONCES = 10_000;

/**
 * Verifies signed requests and refuses replays. There is no clock in it: a replay that is older than the last 10,000
 * signed requests, or from before a restart, is for the receiver to refuse by the term that every request carries.
 */
export class RequestVerifier {
  readonly #secret: string;
  readonly #seen = new Set<string>();

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** How many nonces are remembered at present. */
  get remembered(): number {
    return this.#seen.size;
  }

  verify(request: SignableRequest & { readonly headers: HeaderValues }): Verdict {
    const nonce = headerOf(request.headers, NONCE_HEADER, NONCE);
    const signature = headerOf(request.headers, SIGNATURE_HEADER, SIGNATURE);
    if (nonce === undefined || signature === undefined) return { ok: false, why: 'unsigned' };
    if (!matches(this.#secret, requestParts(request, nonce), signature)) return { ok: false, why: 'bad-signature' };
    if (this.#seen.has(nonce)) return { ok: false, why: 'replayed' };
    this.#remember(nonce);
    return { ok: true, nonce };
  }

  /** Only correctly signed nonces get here, so a stranger cannot push others out of the memory. */
  #remember(nonce: string): void {
    this.#seen.add(nonce);
    const [oldest] = this.#seen;
    if (this.#seen.size > REMEMBERED_NONCES && oldest !== undefined) this.#seen.delete(oldest);
  }
}
