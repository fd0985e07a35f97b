import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { consulServersOf } from './server-addresses';
import {
  consulSettingsFromEnvironment as settingsOf,
  defaultRequestTimeoutMs as requestTimeoutMs,
  endpointOf,
} from './settings';
import { durationMs, readQuery, readTimeoutMs } from './wire';
import { reasonOf } from './transaction';

describe('settings from the environment', () => {
  it('are the local agent when nothing is set', () => {
    expect(settingsOf({})).toEqual({ address: '127.0.0.1:8500', requestTimeoutMs });
    expect(settingsOf({ CONSUL_HTTP_ADDR: '', CONSUL_HTTP_TOKEN: '' })).toEqual({
      address: '127.0.0.1:8500',
      requestTimeoutMs,
    });
  });

  it('take address, token, TLS, datacenter and namespace from Consul’s own variables', () => {
    const directory = mkdtempSync(join(tmpdir(), 'consul-settings-'));
    const file = (name: string, text: string): string => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    };
    try {
      const settings = settingsOf({
        CONSUL_HTTP_ADDR: 'consul:8501',
        CONSUL_HTTP_TOKEN_FILE: file('token', 'secret\n'),
        CONSUL_HTTP_SSL: 'true',
        CONSUL_HTTP_SSL_VERIFY: 'false',
        CONSUL_CACERT: file('ca', 'CA'),
        CONSUL_CLIENT_CERT: file('cert', 'CERT'),
        CONSUL_CLIENT_KEY: file('key', 'KEY'),
        CONSUL_TLS_SERVER_NAME: 'server.dc1.consul',
        CONSUL_NAMESPACE: 'team',
        CONSUL_DATACENTER: 'dc2',
      });
      const tls = { ca: 'CA', cert: 'CERT', key: 'KEY', serverName: 'server.dc1.consul', verify: false };
      expect(settings).toEqual({
        address: 'consul:8501',
        token: 'secret',
        tls,
        datacenter: 'dc2',
        namespace: 'team',
        requestTimeoutMs,
      });
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('name the variable and the file that cannot be read', () => {
    expect(() => settingsOf({ CONSUL_HTTP_TOKEN_FILE: '/nowhere/token' })).toThrow(
      'CONSUL_HTTP_TOKEN_FILE=/nowhere/token',
    );
  });
});

describe('an address of Consul', () => {
  it.each([
    ['consul:8500', false, { baseUrl: 'http://consul:8500' }],
    ['consul:8501', true, { baseUrl: 'https://consul:8501' }],
    ['http://10.0.0.1:8500', true, { baseUrl: 'http://10.0.0.1:8500' }],
    ['[::1]:8500', false, { baseUrl: 'http://[::1]:8500' }],
    ['unix:///run/consul.sock', false, { baseUrl: 'http://localhost', socketPath: '/run/consul.sock' }],
  ])('is read from %s', (address, secure, endpoint) => {
    expect(endpointOf(address, secure)).toEqual(endpoint);
  });

  it.each(['', 'http://', 'consul:port', 'http://consul:8500/v1'])('is refused as %j by name', (address) => {
    expect(() => endpointOf(address, false)).toThrow(JSON.stringify(address));
  });

  it('of a server comes from the catalog, with the port of its meta, of the settings, or the usual one', () => {
    const servers = [
      { Address: '10.0.0.2', NodeMeta: { http_port: '18500' } },
      { Address: 'fd00::1', NodeMeta: null },
      { Address: '', NodeMeta: null },
    ];
    expect(consulServersOf(servers, { address: 'x', requestTimeoutMs })).toEqual([
      'http://10.0.0.2:18500',
      'http://[fd00::1]:8500',
    ]);
    const secure = { address: 'x', requestTimeoutMs, tls: {}, serverHttpPort: 9 };
    expect(consulServersOf(servers, secure)).toEqual(['https://10.0.0.2:18500', 'https://[fd00::1]:9']);
  });
});

describe('the wire', () => {
  it('leaves a blocking query the sixteenth that Consul adds', () => {
    expect(readQuery({ index: 5, waitMs: 16_000, consistency: 'consistent' })).toEqual({
      consistent: '',
      index: 5,
      wait: '16000ms',
    });
    expect(readTimeoutMs({ index: 5, waitMs: 16_000 }, 1000)).toBe(18_000);
    expect(readTimeoutMs({ timeoutMs: 300 }, 1000)).toBe(300);
    expect(readQuery({ consistency: 'default' })).toEqual({});
  });

  it('reads durations as Consul writes them', () => {
    expect(['10s', '1m30s', '10000ms', '2h', '1.5s'].map(durationMs)).toEqual([
      10_000, 90_000, 10_000, 7_200_000, 1500,
    ]);
  });

  it.each([
    ['rpc error: Permission denied', 'denied'],
    ['failed to lock key "k" due to lock delay', 'lock-delay'],
    ['something new', 'other'],
    ['key "failed session check for key" exists', 'changed'],
  ])('reads %j as %s, and nothing it does not know as a loss', (what, reason) => {
    expect(reasonOf({ opIndex: 0, what })).toBe(reason);
  });
});
