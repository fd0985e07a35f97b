import { describe, expect, it } from '@jest/globals';
import { addressOf, hostHeader } from './server-address';

describe('the address of a server', () => {
  it.each([
    ['http://10.0.0.7:8500/v1', { host: '10.0.0.7', port: 8500 }, '10.0.0.7:8500'],
    ['http://consul', { host: 'consul', port: 80 }, 'consul'],
    ['https://consul', { host: 'consul', port: 443, tls: {} }, 'consul'],
    ['http://consul:443', { host: 'consul', port: 443 }, 'consul:443'],
    ['http://[::1]:8500', { host: '::1', port: 8500 }, '[::1]:8500'],
  ])('%s', (url, address, header) => {
    expect(addressOf(url)).toEqual(address);
    expect(hostHeader(addressOf(url))).toBe(header);
  });

  it.each(['consul:8500', 'ftp://consul', '/run/consul.sock'])('is not %s', (url) => {
    expect(() => addressOf(url)).toThrow(RangeError);
  });
});
