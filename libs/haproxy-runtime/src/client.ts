import { PREAMBLE_REPLIES, encode } from './codec';
import type { Command, Query } from './command';
import { converse, describeAddress, type RuntimeAddress } from './conversation';
import { RuntimeError, argumentError, unreadable } from './errors';
import { judge, readReply, type Reply } from './reply';
import { port } from './words';

export interface HaproxyRuntimeOptions {
  /** For one batch: connecting and all answers together, in milliseconds. Default 5000. */
  readonly timeoutMs?: number;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
}

const TIMEOUT_MS_DEFAULT = 5000;
const TIMEOUT_MS_MAX = 2 ** 31 - 1;

function checkedAddress(address: RuntimeAddress): RuntimeAddress {
  if ('path' in address) {
    if (address.path === '') throw argumentError('path', address.path, 'must not be empty');
    return { path: address.path };
  }
  if (address.host === '') throw argumentError('host', address.host, 'must not be empty');
  port(address.port);
  return { host: address.host, port: address.port };
}

function judgeAll(commands: readonly Command[], texts: readonly string[]): Reply[] {
  const preamble = texts.slice(0, PREAMBLE_REPLIES);
  const unexpected = preamble.find((text) => text.trim() !== '');
  if (unexpected !== undefined) throw unreadable('HAProxy answered the switch to interactive mode', unexpected);
  return texts.slice(PREAMBLE_REPLIES).flatMap((text, index) => {
    const command = commands[index];
    return command === undefined ? [] : [judge(command, text)];
  });
}

/**
 * Client of one HAProxy's Runtime API. Holds no connection: each call opens one of its own (0.6 ms on a unix socket),
 * so a restarted HAProxy needs no reconnecting and calls never wait for each other.
 */
export class HaproxyRuntime {
  readonly #address: RuntimeAddress;
  readonly #timeoutMs: number;

  /** @throws RuntimeError HAPROXY_ARGUMENT for an impossible address, or a time limit that is not from 1 to 2^31-1 ms. */
  constructor(address: RuntimeAddress, options: HaproxyRuntimeOptions = {}) {
    const timeoutMs = options.timeoutMs ?? TIMEOUT_MS_DEFAULT;
    if (!(timeoutMs >= 1 && timeoutMs <= TIMEOUT_MS_MAX)) {
      throw argumentError('timeoutMs', timeoutMs, `expected 1 to ${TIMEOUT_MS_MAX}`);
    }
    this.#address = checkedAddress(address);
    this.#timeoutMs = timeoutMs;
  }

  /** The address, for logs. */
  get target(): string {
    return describeAddress(this.#address);
  }

  /**
   * Sends all commands, in order, on one connection; returns one reply per command, in the same order. A refused
   * command does not keep the next from being carried out.
   * @throws RuntimeError HAPROXY_ARGUMENT before anything is sent; HAPROXY_UNREACHABLE if nothing could be; otherwise
   * HAPROXY_CLOSED, HAPROXY_TIMEOUT or HAPROXY_ABORTED with the `replies` so far: of the commands after them nobody
   * knows whether HAProxy carried them out.
   */
  async batch(commands: readonly Command[], options: CallOptions = {}): Promise<readonly Reply[]> {
    const request = encode(commands);
    if (commands.length === 0) return [];
    const count = PREAMBLE_REPLIES + commands.length;
    const limits = { timeoutMs: this.#timeoutMs, signal: options.signal };
    const outcome = await converse(this.#address, request, count, limits);
    if (!('error' in outcome)) return judgeAll(commands, outcome);
    const { code, message, cause } = outcome.error;
    throw new RuntimeError(code, message, { cause, replies: judgeAll(commands, outcome.texts) });
  }

  /**
   * Asks one query and reads its answer.
   * @throws RuntimeError as `batch`, and HAPROXY_REFUSED, HAPROXY_UNREADABLE.
   */
  async run<T>(query: Query<T>, options: CallOptions = {}): Promise<T> {
    return readReply(query, await this.#one(query, options));
  }

  /**
   * Carries out one command; returns HAProxy's notice, mostly empty.
   * @throws RuntimeError as `batch`, and HAPROXY_REFUSED.
   */
  async execute(command: Command, options: CallOptions = {}): Promise<string> {
    const reply = await this.#one(command, options);
    if (!reply.ok) throw reply.error;
    return reply.text;
  }

  async #one(command: Command, options: CallOptions): Promise<Reply> {
    const [reply] = await this.batch([command], options);
    if (reply === undefined) throw unreadable(`no reply to "${command.line}"`, '');
    return reply;
  }
}
