import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { renderHaproxyConfig, type HaproxyConfigInput } from '../src/index';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'haproxy-config-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** HAProxy's own judgement. */
function check(config: string): { status: number | null; said: string } {
  const path = join(directory, 'haproxy.cfg');
  writeFileSync(path, config);
  const result = spawnSync('haproxy', ['-c', '-f', path], {
    encoding: 'utf8',
    timeout: 20_000,
    // Debian keeps haproxy where only root looks.
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/local/sbin:/usr/sbin` },
  });
  return { status: result.status, said: `${result.stdout}${result.stderr}${String(result.error ?? '')}` };
}

describe('haproxy -c', () => {
  it.each<[string, HaproxyConfigInput]>([
    ['the defaults', {}],
    ['replication through the load balancer', { replicationBind: '*:5434' }],
    [
      'unix sockets, IPv6 and no log',
      { adminBind: '/tmp/haproxy-admin.sock', masterBind: ':::5432', userBind: null, log: null },
    ],
    ['other names and many slots', { masterBackend: 'rw', standbyBackend: 'ro', standbySlots: 64, threads: 1 }],
    ['no plug', { holdBind: null }],
    ['a plug on a unix socket', { holdBind: '/tmp/haproxy-hold.sock' }],
    ['sessions kept', { standbyMarkedDown: 'keep-sessions', timeouts: { clientMs: 1, queueMs: 999 } }],
  ])('takes %s without a warning', (_what, input) => {
    const { status, said } = check(renderHaproxyConfig(input));
    expect({ status, said }).toEqual({ status: 0, said: expect.not.stringMatching(/WARNING|ALERT/) });
  });

  it('can refuse: the same file with an unknown keyword', () => {
    const { status, said } = check(`${renderHaproxyConfig()}    misspelt 1\n`);
    expect(status).toBe(1);
    expect(said).toContain("unknown keyword 'misspelt'");
  });
});

describe('README', () => {
  it('shows the example', () => {
    const example = readFileSync(join(__dirname, '../example/print-config.ts'), 'utf8').replace(
      /^\/\/ eslint-disable.*\n/gm,
      '',
    );
    expect(readFileSync(join(__dirname, '../README.md'), 'utf8')).toContain(example);
  });
});
