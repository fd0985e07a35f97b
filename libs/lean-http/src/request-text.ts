export interface HttpRequest {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** With the query, escaped. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as UTF-8. */
  readonly body?: string | undefined;
  /**
   * Whether it may be sent a second time, over another connection, where a kept one was closed by the server before anything of an
   * answer had come. Default: if the method is GET.
   */
  readonly repeatable?: boolean;
}

const PATH = /^\/[\x21-\x7e]*$/;
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e]*$/;

/**
 * The request as it goes over the wire.
 * @throws RangeError if path or headers would end a line, or say something else to the server than to us.
 */
export function requestText({ method, path, headers = {}, body }: HttpRequest, host: string): string {
  if (!PATH.test(path)) throw new RangeError(`not a path: ${JSON.stringify(path)}`);
  let head = `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\n`;
  for (const name in headers) head += headerLine(name, headers[name] ?? '');
  if (body === undefined && method === 'GET') return `${head}\r\n`;
  return `${head}Content-Length: ${body === undefined ? 0 : Buffer.byteLength(body)}\r\n\r\n${body ?? ''}`;
}

function headerLine(name: string, value: string): string {
  if (!HEADER_NAME.test(name) || !HEADER_VALUE.test(value))
    throw new RangeError(`not a header: ${JSON.stringify(name)}`);
  return `${name}: ${value}\r\n`;
}
