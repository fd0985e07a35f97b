import { parseHaproxyAddress } from './haproxy-address';

describe('parseHaproxyAddress', () => {
  it.each([
    ['127.0.0.1:9998', { host: '127.0.0.1', port: 9998 }],
    ['localhost:1', { host: 'localhost', port: 1 }],
    ['[::1]:9998', { host: '::1', port: 9998 }],
    ['/run/haproxy.sock', { path: '/run/haproxy.sock' }],
    ['unix:/run/haproxy.sock', { path: '/run/haproxy.sock' }],
  ])('reads %s', (text, address) => {
    expect(parseHaproxyAddress(text)).toEqual(address);
  });

  it.each(['', 'localhost', ':9998', '127.0.0.1:0', '127.0.0.1:65536', '::1:9998', 'unix:haproxy.sock', 'a:b'])(
    'refuses %j and names it',
    (text) => {
      expect(() => parseHaproxyAddress(text)).toThrow(JSON.stringify(text));
    },
  );
});
