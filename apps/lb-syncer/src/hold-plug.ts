import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { randomUUID } from 'node:crypto';
import {
  setServerAddress,
  setServerState,
  setServerWeight,
  shutdownSessions,
  type Command,
  type HaproxyRuntime,
  type RuntimeAddress,
} from '@ha-postgres/haproxy-runtime';
import type { Log } from '@ha-postgres/service-kit';
import type { ServerNow } from './current-state';

export interface HoldPlugOptions {
  readonly runtime: Pick<HaproxyRuntime, 'batch'>;
  /** The bind in `haproxy.cfg` that leads to the plug's server and nowhere else. */
  readonly address: RuntimeAddress;
  /** The plug has come out by itself: HAProxy was restarted, or somebody closed it. */
  readonly onLost: () => void;
  readonly log: Log;
}

const LOOPBACK = '127.0.0.1';
const PLUG_LIMIT_MS = 500;
/** After so long without another one turned away, nobody waits any more. */
const QUIET_MS = 20;
const FLUSH_LIMIT_MS = 500;
const PROBE_BYTES_MAX = 64;

/**
 * Occupies the only place of server `hold`, so that the backend is up and full, and new clients wait in its queue. The plug is
 * a connection of this process through a bind of its own to a listener of its own: when this process dies it is out, and whoever
 * waits is refused, as is everybody whom HAProxy might lead to the listener.
 */
export class HoldPlug {
  readonly #mark = randomUUID();
  readonly #sink = createServer((socket) => this.#arrived(socket));
  #port = 0;
  #socket: Socket | null = null;
  #onPlugged: (() => void) | null = null;
  #turnedAwayAt = 0;

  constructor(private readonly options: HoldPlugOptions) {
    this.#sink.unref();
  }

  /** Whether new clients wait now, as far as HAProxy's own words and the connection tell. */
  isIn(server: ServerNow): boolean {
    const isOpen = this.#socket !== null && !server.isResting && !server.isDraining;
    return isOpen && server.weight > 0 && server.port === this.#port;
  }

  /**
   * Puts it in; no client reaches the server while that goes on, since its weight is 0 until the place is taken.
   * @throws Error if HAProxy refuses, or the connection does not come through.
   */
  async putIn(server: ServerNow, signal: AbortSignal): Promise<void> {
    if (!this.#sink.listening) await this.#listen();
    this.#drop();
    await this.#send(
      [
        setServerState(server, 'maint'),
        shutdownSessions(server),
        setServerAddress(server, { host: LOOPBACK, port: this.#port }),
        setServerWeight(server, 0),
        setServerState(server, 'ready'),
      ],
      signal,
    );
    await this.#occupy(signal);
    await this.#send([setServerWeight(server, 1)], signal);
  }

  /** Refuses whoever waits: the place is free now, and leads to a listener that closes what comes. (`maint` would leave them waiting.) */
  async turnAway(signal: AbortSignal): Promise<void> {
    if (this.#socket === null) return;
    const until = performance.now() + FLUSH_LIMIT_MS;
    this.#turnedAwayAt = performance.now();
    this.#drop();
    while (!signal.aborted && performance.now() < Math.min(until, this.#turnedAwayAt + QUIET_MS)) {
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }

  /** Takes it out without a word to HAProxy. */
  close(): void {
    this.#drop();
    this.#sink.close();
  }

  async #listen(): Promise<void> {
    this.#sink.listen(0, LOOPBACK);
    await once(this.#sink, 'listening');
    this.#port = (this.#sink.address() as AddressInfo).port;
  }

  async #occupy(signal: AbortSignal): Promise<void> {
    const { address } = this.options;
    const socket = connect('path' in address ? { path: address.path } : { ...address });
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PLUG_LIMIT_MS)]);
    try {
      await new Promise<void>((resolve, reject) => {
        this.#onPlugged = resolve;
        socket.on('error', reject);
        socket.on('close', () => reject(new Error('HAProxy closed the plug')));
        limit.addEventListener('abort', () => reject(new Error(`not plugged within ${PLUG_LIMIT_MS} ms`)));
        socket.write(this.#mark);
      });
    } catch (error) {
      socket.destroy();
      throw error;
    } finally {
      this.#onPlugged = null;
    }
    this.#socket = socket;
    socket.resume();
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#socket = null;
      this.options.onLost();
    });
  }

  /** What comes with the mark is the plug, and stays; everything else is closed. */
  #arrived(socket: Socket): void {
    let said = '';
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => {
      if (said === this.#mark) return;
      said += bytes.toString('latin1').slice(0, PROBE_BYTES_MAX);
      if (said === this.#mark) this.#onPlugged?.();
      else if (!this.#mark.startsWith(said)) this.#turnAway(socket);
    });
    if (this.#onPlugged === null) this.#turnAway(socket);
    // HAProxy closes both ends together.
    socket.on('end', () => socket.destroy());
  }

  #turnAway(socket: Socket): void {
    this.#turnedAwayAt = performance.now();
    socket.destroy();
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = null;
    socket?.destroy();
  }

  async #send(commands: readonly Command[], signal: AbortSignal): Promise<void> {
    const replies = await this.options.runtime.batch(commands, { signal });
    const refused = replies.find((reply) => !reply.ok);
    if (refused?.ok === false) throw refused.error;
  }
}
