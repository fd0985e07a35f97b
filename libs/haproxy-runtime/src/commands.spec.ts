import { describe, expect, it } from '@jest/globals';
import type { Command } from './command';
import * as api from './index';

const server: api.ServerRef = { backend: 'master', server: 'master0' };
const address: api.HostPort = { host: '10.0.0.7', port: 5432 };

const lines: readonly (readonly [Command, string])[] = [
  [api.setServerState(server, 'drain'), 'set server master/master0 state drain'],
  [api.setServerAddress(server, address), 'set server master/master0 addr 10.0.0.7 port 5432'],
  [api.setServerAddress(server, { host: '::1', port: 1 }), 'set server master/master0 addr ::1 port 1'],
  [api.setServerCheckAddress(server, address), 'set server master/master0 check-addr 10.0.0.7 port 5432'],
  [api.setServerCheckPort(server, 8080), 'set server master/master0 check-port 8080'],
  [api.setServerHealth(server, 'stopping'), 'set server master/master0 health stopping'],
  [api.setServerWeight(server, '50%'), 'set server master/master0 weight 50%'],
  [api.setWeight(server, 3), 'set weight master/master0 3'],
  [api.getWeight(server), 'get weight master/master0'],
  [api.setServerMaxConnections(server, 1), 'set maxconn server master/master0 1'],
  [api.enableServer(server), 'enable server master/master0'],
  [api.disableServer(server), 'disable server master/master0'],
  [api.enableHealth(server), 'enable health master/master0'],
  [api.disableHealth(server), 'disable health master/master0'],
  [api.shutdownSessions(server), 'shutdown sessions server master/master0'],
  [
    api.addServer(server, address, ['check', 'inter', '200ms']),
    'add server master/master0 10.0.0.7:5432 check inter 200ms',
  ],
  [api.addServer(server, { host: '::1', port: 1 }), 'add server master/master0 [::1]:1'],
  [api.deleteServer(server), 'del server master/master0'],
  [api.showInfo(), 'show info'],
  [api.showInfoTyped(), 'show info typed'],
  [api.showInfoJson(), 'show info json'],
  [api.showCliLevel(), 'show cli level'],
  [api.showStat(), 'show stat'],
  [api.showStat({ proxy: 'master', kinds: ['backend', 'server'] }), 'show stat master 6 -1'],
  [api.showStat({ serverId: 2, only: 'up' }), 'show stat -1 -1 2 up'],
  [api.showStatTyped({ only: 'no-maint' }), 'show stat typed no-maint'],
  [api.showStatJson({ kinds: ['frontend'] }), 'show stat -1 1 -1 json'],
  [api.showServersState(), 'show servers state'],
  [api.showServersState('master'), 'show servers state master'],
  [api.showServersConnections(), 'show servers conn'],
  [api.showServersConnections('master'), 'show servers conn master'],
  [api.showBackend(), 'show backend'],
  [api.showSessions(), 'show sess'],
  [api.showTables(), 'show table'],
  [api.showTable('t', { key: 'a b' }), 'show table t key a\\ b'],
  [
    api.showTable('t', {
      where: [
        { data: 'gpc0', operator: 'gt', value: 1 },
        { data: 'conn_cur', operator: 'eq', value: 0 },
      ],
    }),
    'show table t data.gpc0 gt 1 data.conn_cur eq 0',
  ],
  [api.setTable('t', 'k', { gpc0: 1, conn_cnt: 2 }), 'set table t key k data.gpc0 1 data.conn_cnt 2'],
  [api.clearTable('t'), 'clear table t'],
  [api.clearTable('t', { key: 'k' }), 'clear table t key k'],
  [api.showMaps(), 'show map'],
  [api.showMap('/etc/a map'), 'show map /etc/a\\ map'],
  [api.getMap('#0', 'k'), 'get map #0 k'],
  [api.addMap('#0', 'k', 'back\\slash'), 'add map #0 k back\\\\slash'],
  [api.setMap('#0', 'k', 'v'), 'set map #0 k v'],
  [api.deleteMap('#0', 'k'), 'del map #0 k'],
  [api.clearMap('#0'), 'clear map #0'],
  [api.showAcls(), 'show acl'],
  [api.showAcl('#1'), 'show acl #1'],
  [api.getAcl('#1', '10.0.0.1'), 'get acl #1 10.0.0.1'],
  [api.addAcl('#1', '10.0.0.0/8'), 'add acl #1 10.0.0.0/8'],
  [api.deleteAcl('#1', '10.0.0.0/8'), 'del acl #1 10.0.0.0/8'],
  [api.clearAcl('#1'), 'clear acl #1'],
];

describe('commands', () => {
  it.each(lines)('%o is written %s', (command, line) => {
    expect(command.line).toBe(line);
  });

  it.each([
    ['a server', () => api.setServerState({ backend: 'a b', server: 's' }, 'ready')],
    ['an address that is a name', () => api.setServerAddress(server, { host: 'db-0', port: 1 })],
    ['a port out of range', () => api.setServerCheckPort(server, 99_999)],
    ['a keyword with ";"', () => api.addServer(server, address, ['check;quit'])],
    ['a keyword with a newline', () => api.addServer(server, address, ['check\nquit'])],
    ['a map key that names an entry', () => api.setMap('#0', '#0x1234', 'v')],
    ['an ACL pattern that names an entry', () => api.deleteAcl('#0', '#0x1234')],
    ['a map value that begins a payload', () => api.addMap('#0', 'k', '<<')],
    ['a data type with a blank', () => api.setTable('t', 'k', { 'gpc0 1': 1 })],
    ['a table entry without data', () => api.setTable('t', 'k', {})],
    ['a negative value', () => api.setTable('t', 'k', { gpc0: -1 })],
    ['a proxy with a blank', () => api.showStat({ proxy: 'a b' })],
    ['a backend with a newline', () => api.showServersState('a\nb')],
    ['a limit below zero', () => api.setServerMaxConnections(server, -1)],
  ])('%s is refused when the command is made', (_, make) => {
    expect(make).toThrow(expect.objectContaining({ name: 'RuntimeError', code: 'HAPROXY_ARGUMENT' }));
  });
});
