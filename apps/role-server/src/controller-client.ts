import { HttpConnections } from '@ha-postgres/lean-http';
import { errors } from './errors';

export interface ControllerAnswer {
  readonly status: number;
  readonly body: string;
}

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: string;
  /** From sending to the last byte of the answer, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** What asks db-controller. */
export interface Controller {
  /**
   * @throws CodedError HAPG_CONTROLLER_TIMEOUT if it does not answer in time, HAPG_CONTROLLER_UNREACHABLE if it is not
   * there or breaks the answer off.
   */
  ask(call: Call): Promise<ControllerAnswer>;
}

const GIVEN_UP = new Error('given up');
const JSON_BODY = { 'Content-Type': 'application/json' };

/** db-controller behind its unix socket, over connections that are kept open. */
export class ControllerClient implements Controller {
  readonly #socketPath: string;
  readonly #connections: HttpConnections;

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
    this.#connections = new HttpConnections({ socketPath });
  }

  async ask({ method, path, body, timeoutMs, signal }: Call): Promise<ControllerAnswer> {
    const what = `${method} ${path} to db-controller at ${this.#socketPath}`;
    if (signal?.aborted === true) throw errors.HAPG_CONTROLLER_TIMEOUT(`${what} was given up before it was sent`);
    const headers = body === undefined ? {} : JSON_BODY;
    // All that is asked of it may be asked twice.
    const { answer, cut } = this.#connections.send({ method, path, headers, body, repeatable: true });
    const giveUp = (): void => cut(GIVEN_UP);
    const timer = setTimeout(giveUp, timeoutMs);
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      return await answer;
    } catch (cause) {
      if (cause !== GIVEN_UP) throw errors.HAPG_CONTROLLER_UNREACHABLE(`${what} failed`, { cause });
      throw errors.HAPG_CONTROLLER_TIMEOUT(`${what} was not answered within ${timeoutMs} ms`, { cause });
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /** Closes the kept connections. */
  close(): void {
    this.#connections.close();
  }
}
