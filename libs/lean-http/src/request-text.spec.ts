import { describe, expect, it } from '@jest/globals';
import { requestText, type HttpRequest } from './request-text';

const text = (request: Partial<HttpRequest>): string => requestText({ method: 'GET', path: '/', ...request }, 'h:1');

describe('a request as text', () => {
  it('has path, host and headers', () => {
    expect(text({ path: '/v1/kv/a%20b?x=%2F&index=5', headers: { 'X-T': 'a b' } })).toBe(
      'GET /v1/kv/a%20b?x=%2F&index=5 HTTP/1.1\r\nHost: h:1\r\nX-T: a b\r\n\r\n',
    );
  });

  it('counts the bytes of its body, not the characters', () => {
    expect(text({ method: 'PUT', body: 'é' })).toBe('PUT / HTTP/1.1\r\nHost: h:1\r\nContent-Length: 2\r\n\r\né');
  });

  it.each(['PUT', 'POST', 'DELETE'] as const)('says of a %s without a body that there is none', (method) => {
    expect(text({ method })).toContain('\r\nContent-Length: 0\r\n\r\n');
  });

  it.each(['', 'v1', '/a b', '/a\r\nX: y', '/é'])('refuses the path %j', (path) => {
    expect(() => text({ path })).toThrow(RangeError);
  });

  it.each([{ 'X-T': 'a\r\nX: y' }, { 'X-T': 'é' }, { 'X T': 'a' }, { '': 'a' }])('refuses the header %j', (headers) => {
    expect(() => text({ headers })).toThrow(RangeError);
  });
});
