import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { HAPROXY_CONFIG_DEFAULTS, renderHaproxyConfig, type HaproxyConfigInput } from './index';

const serverLines = (config: string): string[] => config.split('\n').filter((line) => /^ +server /.test(line));
const sectionOf = (config: string, title: string): string =>
  config.split('\n\n').find((section) => section.startsWith(`${title}\n`)) ?? '';

describe('renderHaproxyConfig', () => {
  it('begins with every server disabled and without an address', () => {
    const lines = serverLines(renderHaproxyConfig({ standbySlots: 3, replicationBind: '*:5434' }));
    expect(lines).toHaveLength(6);
    for (const line of lines) expect(line).toMatch(/ 127\.0\.0\.1:1 (.* )?disabled$/);
  });

  it('asks role-server for the role of each port, and closes the sessions of what it marks down', () => {
    const config = renderHaproxyConfig();
    expect(sectionOf(config, 'listen master')).toContain('option httpchk GET /controller/ready?role=Master');
    expect(sectionOf(config, 'listen standby')).toContain('option httpchk GET /controller/ready?role=Replica');
    for (const title of ['listen master', 'listen standby']) {
      expect(sectionOf(config, title)).toContain('http-check expect status 200');
      expect(sectionOf(config, title)).toContain('on-marked-down shutdown-sessions');
    }
  });

  it('has a plug in the master backend that only its own bind leads to, on request none', () => {
    const master = sectionOf(renderHaproxyConfig({ holdBind: '/run/hold.sock' }), 'listen master');
    expect(master).toContain('bind /run/hold.sock name hold\n    use-server hold if { so_name -m str hold }\n');
    expect(master).toContain('server hold 127.0.0.1:1 no-check weight 0 maxconn 1 disabled');
    expect(renderHaproxyConfig({ holdBind: null })).not.toContain('hold');
  });

  it('gives the Master’s server a limit that HAProxy itself has: without one it takes nobody out of the queue from 3.0.11 on', () => {
    const config = renderHaproxyConfig({ maxConnections: 123 });
    expect(sectionOf(config, 'global')).toContain('maxconn 123\n');
    expect(sectionOf(config, 'listen master')).toContain('server master0 127.0.0.1:1 maxconn 123 disabled');
  });

  it('has a filter in every section: without one HAProxy 3.0.11 keeps who is being connected to a server that is closed, for ever', () => {
    const config = renderHaproxyConfig({ replicationBind: '*:5434' });
    for (const title of ['listen master', 'listen standby', 'listen replication']) {
      expect(sectionOf(config, title)).toContain('    filter trace quiet\n');
    }
  });

  it('lets running queries of standbys end, but never a Master’s, when told so', () => {
    const config = renderHaproxyConfig({ standbyMarkedDown: 'keep-sessions' });
    expect(sectionOf(config, 'listen standby')).not.toContain('on-marked-down');
    expect(sectionOf(config, 'listen master')).toContain('on-marked-down shutdown-sessions');
  });

  it('gives admin rights only on the admin address, which is of the pod alone by default', () => {
    const sockets = sectionOf(renderHaproxyConfig(), 'global').match(/stats socket .*/g);
    expect(sockets).toEqual(['stats socket 127.0.0.1:9998 level admin', 'stats socket *:9999 level user']);
    expect(renderHaproxyConfig({ userBind: null })).not.toContain('level user');
  });

  it('writes times in the largest unit that fits evenly', () => {
    const config = renderHaproxyConfig({ timeouts: { clientMs: 7_200_000, connectMs: 1500 } });
    expect(config).toContain('timeout client 2h\n');
    expect(config).toContain('timeout connect 1500ms\n');
    expect(config).toContain('timeout server 30m\n');
  });

  it.each<[HaproxyConfigInput, string]>([
    [{ masterBind: '*:5432\n  evil' }, '"*:5432\\n  evil"'],
    [{ adminBind: '127.0.0.1:9998 level user' }, '"127.0.0.1:9998 level user"'],
    [{ masterCheckPath: '/ready#' }, '"/ready#"'],
    [{ holdBind: '127.0.0.1:9 name x' }, '"127.0.0.1:9 name x"'],
    [{ masterBackend: 'a b' }, '"a b"'],
    [{ masterBackend: 'x', standbyBackend: 'x' }, 'x, x, replication'],
    [{ log: 'stdout\nglobal' }, '"stdout\\nglobal"'],
    [{ standbySlots: 0 }, ': 0'],
    [{ check: { fall: 1.5 } }, ': 1.5'],
    [{ timeouts: { queueMs: NaN } }, ': NaN'],
    [{ maxConnections: -1 }, ': -1'],
  ])('refuses %j and names the value', (input, named) => {
    expect(() => renderHaproxyConfig(input)).toThrow(named);
  });

  it('names every problem at once', () => {
    expect(() => renderHaproxyConfig({ standbySlots: -7, threads: 1000 })).toThrow(/-7.*1000/);
  });

  it('never lets a text add a line to the file', () => {
    const lines = renderHaproxyConfig({ userBind: '*:1' }).split('\n').length;
    const fields = [
      'masterBind',
      'standbyBind',
      'adminBind',
      'userBind',
      'holdBind',
      'masterCheckPath',
      'standbyCheckPath',
      'masterBackend',
      'log',
    ] as const;
    let accepted = 0;
    fc.assert(
      fc.property(fc.constantFrom(...fields), fc.string({ minLength: 1 }), (field, text) => {
        let config: string;
        try {
          config = renderHaproxyConfig({ userBind: '*:1', [field]: text });
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
          return;
        }
        accepted += 1;
        expect(config.split(/[\n\r]/).length).toBe(lines);
        expect(config).toContain(text);
      }),
    );
    expect(accepted).toBeGreaterThan(0);
  });

  it('keeps its defaults when only a part of a group is given', () => {
    expect(renderHaproxyConfig({ check: { fall: 5 } })).toContain(`fall 5 rise ${HAPROXY_CONFIG_DEFAULTS.check.rise}`);
  });
});
