import { describe, expect, it } from '@jest/globals';
import { query } from './command';
import { addServer, deleteServer } from './dynamic-servers';
import { showCliLevel } from './info';
import { judge, readReply } from './reply';
import { setServerAddress, setServerCheckPort, setServerState } from './server-commands';
import { showServersState } from './servers-state';

// Every text here was written by HAProxy 2.6.12, unless it says otherwise.
const server = { backend: 'master', server: 'master0' };
const setState = setServerState(server, 'ready');
const setAddress = setServerAddress(server, { host: '10.0.0.7', port: 5432 });

describe('HAProxy’s answers', () => {
  it.each([
    ['silence', setState, ''],
    [
      'a notice',
      setAddress,
      "[4]: IP changed from '127.0.0.1' to '127.0.0.9', port changed from '1' to '2' by 'stats socket command'\n",
    ],
    [
      'the other notice',
      setAddress,
      "[4]: no need to change the addr, no need to change the port by 'stats socket command'\n",
    ],
    [
      'a mixed notice',
      setAddress,
      "[4]: IP changed from '::1' to '127.0.0.1', no need to change the port by 'stats socket command'\n",
    ],
    ['the notice of 3.x', setAddress, '[4]: nothing changed\n'],
    [
      'a notice about the address alone',
      setAddress,
      "[4]: IP changed from '::1' to '127.0.0.1' by 'stats socket command'\n",
    ],
    ['news of a server', addServer(server, { host: '10.0.0.7', port: 1 }), '[6]: New server registered.\n'],
    ['an answer without newline', deleteServer(server), '[6]: Server deleted.'],
    ['a level, which carries a severity', showCliLevel(), '[6]: admin\n'],
  ])('%s is success', (_, command, raw) => {
    expect(judge(command, raw)).toMatchObject({ ok: true, command });
  });

  it.each([
    [setState, '[3]: Permission denied\n', 3, 'PermissionDenied'],
    [setState, '[3]: No such server.\n', 3, 'NoSuchServer'],
    [setState, '[3]: No such backend.\n', 3, 'NoSuchBackend'],
    [setState, "[3]: Can't find backend.\n", 3, 'NoSuchBackend'],
    [setState, '[3]: No such table\n', 3, 'NoSuchTable'],
    [setState, '[3]: Unknown map identifier. Please use #<id> or <file>.\n', 3, 'NoSuchFile'],
    [setState, '[3]: Unknown ACL identifier. Please use #<id> or <file>.\n', 3, 'NoSuchFile'],
    [setState, '[3]: Key not found.\n', 3, 'NotFound'],
    [setState, '[3]: entry not found.\n', 3, 'NotFound'],
    [setState, '[3]: Already exists a server with the same name in backend.\n', 3, 'ServerExists'],
    [
      setState,
      '[6]: Unknown command, but maybe one of the following ones is a better match:\n  show fd\n',
      6,
      'UnknownCommand',
    ],
    [setAddress, "[4]: Invalid addr 'foo.bar' by 'stats socket command'\n", 4, 'Other'],
    [
      setAddress,
      "[4]: no need to change the addr, can't change <port> to port map by 'stats socket command'\n",
      4,
      'Other',
    ],
    [showServersState('nowhere'), "[3]: Can't find backend.\n", 3, 'NoSuchBackend'],
    [setServerCheckPort(server, 1), '[4]: health checks are not enabled on this server', 4, 'Other'],
    [setState, 'something without severity\n', undefined, 'Other'],
  ] as const)('%o answered by %j is a refusal', (command, raw, severity, reason) => {
    const reply = judge(command, raw);
    if (reply.ok) throw new Error('taken for success');
    expect(reply.error).toMatchObject({ code: 'HAPROXY_REFUSED', command: command.line, reason });
    expect(reply.error.severity).toBe(severity);
    expect(reply.error.text).toBe(raw.replace(/^\[\d\]: /, '').trim());
  });

  it('names the command in the message of a refusal', () => {
    const reply = judge(setState, '[3]: No such server.\n');
    expect(() => readReply(query(setState.line, String), reply)).toThrow(
      'HAProxy refused "set server master/master0 state ready": No such server.',
    );
  });

  it('hands a query’s text on without its last newlines, and only those', () => {
    const asked = query('show map #0', (text) => text.split('\n'));
    expect(readReply(asked, judge(asked, '0x1 a  \n0x2 b\n'))).toEqual(['0x1 a  ', '0x2 b']);
  });
});
