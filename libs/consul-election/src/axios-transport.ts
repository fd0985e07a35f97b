import axios from 'axios';
import type { Clock } from './clock';
import { messageOf } from './errors';
import { Unanswered, limit, type Agents, type Incoming, type Outgoing, type Transport } from './transport';

/** What is asked now and then. */
export function axiosTransport(agents: Agents, clock: Clock): Transport {
  const instance = axios.create({
    httpAgent: agents.http,
    httpsAgent: agents.https,
    proxy: false,
    maxRedirects: 0,
    responseType: 'text',
    transformRequest: [(body: unknown) => body],
    transformResponse: [(body: unknown) => body],
    validateStatus: () => true,
    // The agent is next door: unpacking costs more than the bytes that packing saves.
    decompress: false,
    headers: { 'Accept-Encoding': 'identity' },
  });
  return async (outgoing: Outgoing): Promise<Incoming> => {
    const { method, baseUrl, socketPath, path, headers, body } = outgoing;
    const abort = new AbortController();
    let why = '';
    const end = limit(clock, outgoing, (reason) => {
      why = reason;
      abort.abort();
    });
    try {
      const response = await instance.request<string>({
        method,
        url: baseUrl + path,
        headers: { ...headers },
        data: body,
        signal: abort.signal,
        ...(socketPath === undefined ? {} : { socketPath }),
      });
      const header = (name: string): string | undefined => {
        const value: unknown = response.headers[name];
        return typeof value === 'string' ? value : undefined;
      };
      return { status: response.status, body: typeof response.data === 'string' ? response.data : '', header };
    } catch (error) {
      throw new Unanswered(why === '' ? messageOf(error) : why, { cause: error });
    } finally {
      end();
    }
  };
}
