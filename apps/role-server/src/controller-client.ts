import { Agent, request, type ClientRequest, type IncomingMessage } from 'node:http';
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
    const what = `${call.method} ${call.path} to db-controller at ${this.#socketPath}`;
    const under: UnderWay = { asked: null, isCut: false };
    const cut = (): void => {
      under.isCut = true;
      under.asked?.destroy();
    };
    const timer = setTimeout(cut, call.timeoutMs);
    call.signal?.addEventListener('abort', cut, { once: true });
    try {
      call.signal?.throwIfAborted();
      return await this.#send(call, under);
    } catch (cause) {
      if (!under.isCut) throw errors.HAPG_CONTROLLER_UNREACHABLE(`${what} failed`, { cause });
      throw errors.HAPG_CONTROLLER_TIMEOUT(`${what} was not answered within ${call.timeoutMs} ms`, { cause });
    } finally {
      clearTimeout(timer);
      call.signal?.removeEventListener('abort', cut);
    }
  }

  /** Closes the kept connections. */
  close(): void {
    this.#agent.destroy();
  }

  #send(call: Call, under: UnderWay): Promise<ControllerAnswer> {
    return new Promise((resolve, reject) => {
      const { method, path, body } = call;
      const headers =
        body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      const asked = request({ socketPath: this.#socketPath, agent: this.#agent, method, path, headers })
        .on('error', (error) => {
          // A kept connection that the controller closed while we wrote: all that is asked of it may be asked twice.
          if (asked.reusedSocket && codeOf(error) === 'ECONNRESET' && !under.isCut) resolve(this.#send(call, under));
          else reject(error);
        })
        .on('response', (response) => readAnswer(response, resolve, reject))
        .end(body);
      under.asked = asked;
    });
  }
}

/** The request that is under way, if there is one, and whether it was ended from here. */
interface UnderWay {
  asked: ClientRequest | null;
  isCut: boolean;
}

function readAnswer(
  response: IncomingMessage,
  resolve: (answer: ControllerAnswer) => void,
  reject: (error: unknown) => void,
): void {
  let body = '';
  response
    .setEncoding('utf8')
    .on('data', (part: string) => (body += part))
    .on('error', reject)
    .on('end', () => resolve({ status: response.statusCode ?? 0, body }));
}
