import { Agent, request, type IncomingMessage } from 'node:http';
import { codeOf } from '@ha-postgres/service-kit';
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

/** db-controller behind its unix socket, over connections that are kept open. */
export class ControllerClient implements Controller {
  readonly #socketPath: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });

  constructor(socketPath: string) {
    this.#socketPath = socketPath;
  }

  async ask(call: Call): Promise<ControllerAnswer> {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), call.timeoutMs);
    const giveUp = (): void => timeout.abort();
    call.signal?.addEventListener('abort', giveUp, { once: true });
    try {
      call.signal?.throwIfAborted();
      return await this.#send(call, timeout.signal);
    } catch (cause) {
      const what = `${call.method} ${call.path} to db-controller at ${this.#socketPath}`;
      if (!timeout.signal.aborted) throw errors.HAPG_CONTROLLER_UNREACHABLE(`${what} failed`, { cause });
      throw errors.HAPG_CONTROLLER_TIMEOUT(`${what} was not answered within ${call.timeoutMs} ms`, { cause });
    } finally {
      clearTimeout(timer);
      call.signal?.removeEventListener('abort', giveUp);
    }
  }

  /** Closes the kept connections. */
  close(): void {
    this.#agent.destroy();
  }

  #send(call: Call, signal: AbortSignal): Promise<ControllerAnswer> {
    return new Promise((resolve, reject) => {
      const { method, path, body } = call;
      const headers =
        body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const asked = request({ socketPath: this.#socketPath, agent: this.#agent, method, path, headers, signal })
        .on('error', (error) => {
          // A kept connection that the controller closed while we wrote: all that is asked of it may be asked twice.
          if (asked.reusedSocket && codeOf(error) === 'ECONNRESET') resolve(this.#send(call, signal));
          else reject(error);
        })
        .on('response', (response) => void readAnswer(response).then(resolve, reject))
        .end(body);
    });
  }
}

async function readAnswer(response: IncomingMessage): Promise<ControllerAnswer> {
  let body = '';
  for await (const part of response.setEncoding('utf8')) body += String(part);
  return { status: response.statusCode ?? 0, body };
}
