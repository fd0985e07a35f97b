import { connect, type Socket } from 'node:net';
import type { RuntimeAddress } from '@ha-postgres/haproxy-runtime';

/** A connection that could not be made, or has ended, is made again after this: often enough to see the next HAProxy soon. */
const RETRY_MS = 50;

/**
 * Holds one silent connection to HAProxy's Runtime API, and says when it ends: a killed HAProxy is noticed at once, for
 * the price of a new connection every ten seconds. (A reloaded one keeps the old process's connections: the poll finds it.)
 */
export class Presence {
  #socket: Socket | null = null;
  #retry: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(
    private readonly address: RuntimeAddress,
    private readonly onEnded: () => void,
  ) {}

  start(): void {
    const socket = connect('path' in this.address ? { path: this.address.path } : { ...this.address });
    this.#socket = socket;
    let wasConnected = false;
    socket.on('connect', () => (wasConnected = true));
    // What matters is that it ended; why is said by the next look at HAProxy.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#stopped) return;
      this.#retry = setTimeout(() => this.start(), RETRY_MS);
      if (wasConnected) this.onEnded();
    });
    // HAProxy's end-of-file is answered by ours; nothing is ever read.
    socket.resume();
  }

  stop(): void {
    this.#stopped = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#socket?.destroy();
  }
}
