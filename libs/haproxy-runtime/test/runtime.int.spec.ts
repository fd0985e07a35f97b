import { readFile, readdir } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import * as api from '../src';
import { startHaproxy, startTarget, until, type RealHaproxy, type Target } from './real-haproxy';

const master0 = { backend: 'master', server: 'master0' };
const master1 = { backend: 'master', server: 'master1' };
const standby0 = { backend: 'standby', server: 'standby0' };

let haproxy: RealHaproxy;
beforeEach(async () => {
  haproxy = await startHaproxy();
});
afterEach(() => haproxy.stop());

const serverState = async (server: api.ServerRef): Promise<api.ServerState> => {
  const states = await haproxy.admin.run(api.showServersState(server.backend));
  const state = states.find((candidate) => candidate.server === server.server);
  if (state === undefined) throw new Error(`HAProxy shows no ${server.backend}/${server.server}`);
  return state;
};

const refusalOf = async (command: api.Command, client = haproxy.admin): Promise<unknown> =>
  client.execute(command).then(
    () => 'success',
    (error: unknown) => error,
  );

/** The signal reaches a process's threads one by one. */
const isStopped = async (pid: number): Promise<boolean> => {
  const threads = await readdir(`/proc/${pid}/task`);
  const stats = await Promise.all(threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8')));
  return stats.every((stat) => stat.includes(') T '));
};

describe('servers', () => {
  it('go from disabled to ready at a new address, and are told from those in maintenance', async () => {
    expect(await serverState(master0)).toMatchObject({ operationalState: 'stopped', adminState: { isMaint: true } });
    const replies = await haproxy.admin.batch([
      api.setServerAddress(master0, { host: '127.0.0.9', port: 5432 }),
      api.setServerState(master0, 'ready'),
    ]);
    expect(replies.map(({ ok }) => ok)).toEqual([true, true]);
    expect(await serverState(master0)).toMatchObject({
      address: '127.0.0.9',
      port: 5432,
      operationalState: 'running',
      // The trap: "disabled" of the file stays as bit 0x04.
      adminState: { bits: 4, configuredMaint: true, isMaint: false },
    });
    await haproxy.admin.execute(api.setServerState(master0, 'drain'));
    expect(await serverState(master0)).toMatchObject({ adminState: { isDrain: true, isMaint: false } });
    await haproxy.admin.execute(api.setServerState(master0, 'maint'));
    expect(await serverState(master0)).toMatchObject({ adminState: { isMaint: true }, operationalState: 'stopped' });
  });

  it('take every kind of address, and the same one twice', async () => {
    for (const [host, port] of [
      ['::1', 1],
      ['127.0.0.1', 1],
      ['127.0.0.1', 1],
      ['127.0.0.1', 65_535],
    ] as const) {
      await haproxy.admin.execute(api.setServerAddress(master0, { host, port }));
      expect(await serverState(master0)).toMatchObject({ address: host, port });
    }
  });

  it('take check address and port, weight, health, and enabling', async () => {
    const commands = [
      api.enableServer(master0),
      api.setServerCheckAddress(master0, { host: '127.0.0.3', port: 77 }),
      api.setServerHealth(master0, 'down'),
      api.setServerWeight(master1, 7),
      api.disableHealth(master0),
    ];
    expect((await haproxy.admin.batch(commands)).map(({ ok }) => ok)).toEqual(commands.map(() => true));
    expect(await serverState(master0)).toMatchObject({
      checkAddress: '127.0.0.3',
      checkPort: 77,
      operationalState: 'stopped',
      adminState: { isMaint: false },
      checkEnabled: false,
    });
    expect(await refusalOf(api.setServerCheckPort(master0, 78))).toMatchObject({ severity: 4 });
    await haproxy.admin.batch([api.enableHealth(master0), api.setServerCheckPort(master0, 78)]);
    expect(await serverState(master0)).toMatchObject({ checkPort: 78, checkEnabled: true });

    expect(await haproxy.admin.run(api.getWeight(master1))).toEqual({ current: 7, initial: 10 });
    await haproxy.admin.execute(api.setWeight(master1, '50%'));
    expect(await haproxy.admin.run(api.getWeight(master1))).toEqual({ current: 5, initial: 10 });
    await haproxy.admin.execute(api.disableServer(master1));
    expect((await serverState(master1)).adminState.isMaint).toBe(true);
  });

  it('take a limit of connections', async () => {
    await haproxy.admin.execute(api.setServerMaxConnections(master1, 3));
    const [stat] = await haproxy.admin.run(api.showStat({ proxy: 'master', kinds: ['server'], serverId: 2 }));
    expect(stat?.fields.get('slim')).toBe('3');
  });

  it('come and go at runtime', async () => {
    const extra = { backend: 'standby', server: 'extra' };
    await haproxy.admin.execute(api.addServer(extra, { host: '127.0.0.1', port: 7 }, ['check', 'inter', '1h']));
    expect(await serverState(extra)).toMatchObject({ adminState: { isMaint: true }, checkEnabled: false, port: 7 });
    await haproxy.admin.batch([api.enableHealth(extra), api.enableServer(extra)]);
    expect(await serverState(extra)).toMatchObject({ adminState: { isMaint: false }, checkEnabled: true });
    expect(await refusalOf(api.deleteServer(extra))).toMatchObject({
      text: 'Only servers in maintenance mode can be deleted.',
    });
    await haproxy.admin.batch([api.disableServer(extra), api.deleteServer(extra)]);
    expect(await haproxy.admin.run(api.showServersState('standby'))).toHaveLength(1);
  });
});

describe('sessions', () => {
  let target: Target;
  let client: Socket;
  beforeEach(async () => {
    target = await startTarget();
    await haproxy.admin.batch([
      api.setServerAddress(master1, { host: '127.0.0.1', port: target.port }),
      api.setServerState(master1, 'ready'),
    ]);
    client = connect(haproxy.masterPort, '127.0.0.1');
    client.on('error', () => undefined);
    await until('the server has the connection', () => Promise.resolve(target.connections() === 1));
  });
  afterEach(async () => {
    client.destroy();
    await target.stop();
  });

  it('are shown with who talks to whom', async () => {
    const source = `127.0.0.1:${client.localPort ?? 0}`;
    const sessions = await haproxy.admin.run(api.showSessions());
    expect(sessions.find((session) => session.source === source)).toMatchObject({
      protocol: 'tcpv4',
      frontend: 'master',
      backend: 'master',
      server: 'master1',
    });
    expect(sessions.find(({ frontend }) => frontend === 'GLOBAL')).toMatchObject({ server: undefined });
    const connections = await haproxy.admin.run(api.showServersConnections('master'));
    expect(connections.find(({ server }) => server === 'master1')).toMatchObject({ port: target.port });
  });

  it('outlive maint of a server that was down, and end when told to', async () => {
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
    await haproxy.admin.execute(api.setServerState(master1, 'maint'));
    expect(target.connections()).toBe(1);
    await haproxy.admin.execute(api.shutdownSessions(master1));
    await closed;
    await until('the server has lost the connection', () => Promise.resolve(target.connections() === 0));
  });
});

describe('refusals', () => {
  it('of a socket without the right say so, and reading still works there', async () => {
    expect(await haproxy.user.run(api.showCliLevel())).toBe('user');
    expect(await haproxy.admin.run(api.showCliLevel())).toBe('admin');
    for (const command of [
      api.setServerState(master0, 'ready'),
      api.setServerAddress(master0, { host: '127.0.0.1', port: 1 }),
      api.shutdownSessions(master0),
      api.deleteServer(master0),
      api.setWeight(master0, 1),
      api.showSessions(),
    ]) {
      expect(await refusalOf(command, haproxy.user)).toMatchObject({
        code: 'HAPROXY_REFUSED',
        reason: 'PermissionDenied',
        severity: 3,
        command: command.line,
        text: 'Permission denied',
      });
    }
    expect(await haproxy.user.run(api.showServersState())).toHaveLength(3);
  });

  it('name what is missing', async () => {
    const nowhere = { backend: 'nowhere', server: 'x' };
    const nobody = { backend: 'master', server: 'nobody' };
    for (const [command, reason] of [
      [api.setServerState(nobody, 'ready'), 'NoSuchServer'],
      [api.setServerState(nowhere, 'ready'), 'NoSuchBackend'],
      [api.deleteServer(nobody), 'NoSuchServer'],
      [api.shutdownSessions(nowhere), 'NoSuchBackend'],
      [api.getWeight(nobody), 'NoSuchServer'],
      [api.showServersState('nowhere'), 'NoSuchBackend'],
      [api.showServersConnections('nowhere'), 'NoSuchBackend'],
      [api.showTable('nowhere'), 'NoSuchTable'],
      [api.showMap('/nowhere'), 'NoSuchFile'],
      [api.showAcl('/nowhere'), 'NoSuchFile'],
      [api.setMap(haproxy.mapFile, 'nobody', 'x'), 'NotFound'],
      [api.deleteAcl(haproxy.aclFile, 'nobody'), 'NotFound'],
      [api.addServer(master0, { host: '127.0.0.1', port: 1 }), 'ServerExists'],
      [api.action('frobnicate'), 'UnknownCommand'],
      [api.enableHealth(master1), 'Other'],
      [api.setServerCheckPort(master1, 1), 'Other'],
    ] as const) {
      expect(await refusalOf(command)).toMatchObject({ code: 'HAPROXY_REFUSED', reason, command: command.line });
    }
  });

  it('do not keep the rest of a batch from being done, nor shift its answers', async () => {
    const commands = [
      api.deleteServer({ backend: 'master', server: 'nobody' }), // answers without a newline
      api.setServerCheckPort(master1, 1), // likewise
      api.setServerState(master0, 'ready'),
      api.action('frobnicate'), // answers with the whole help
      api.showServersState('standby'),
      api.setServerWeight(master1, 9),
    ];
    const replies = await haproxy.admin.batch(commands);
    expect(replies.map(({ command }) => command)).toEqual(commands);
    expect(replies.map(({ ok }) => ok)).toEqual([false, false, true, false, true, true]);
    const [, , , , shown] = replies;
    if (shown === undefined) throw new Error('no fifth reply');
    expect(api.readReply(api.showServersState('standby'), shown)).toHaveLength(1);
    expect(await haproxy.admin.run(api.getWeight(master1))).toMatchObject({ current: 9 });
  });
});

describe('batches', () => {
  it('of thousands of commands are answered one by one, over TCP as over a unix socket', async () => {
    const commands = Array.from({ length: 3000 }, (_, index) =>
      index % 2 === 0 ? api.setServerWeight(master1, index % 257) : api.getWeight(master1),
    );
    for (const client of [haproxy.admin, haproxy.adminOverTcp]) {
      const replies = await client.batch(commands);
      const weights = replies.flatMap((reply, index) =>
        index % 2 === 0 ? [] : [api.readReply(api.getWeight(master1), reply).current],
      );
      expect(weights).toEqual(Array.from({ length: 1500 }, (_, index) => (2 * index) % 257));
    }
  });

  it('with large answers in between keep their order', async () => {
    const round = [api.showInfoJson(), api.setServerWeight(master1, 1), api.showStatTyped(), api.getWeight(master1)];
    const replies = await haproxy.adminOverTcp.batch(Array.from({ length: 20 }, () => round).flat());
    expect(replies.every(({ ok }) => ok)).toBe(true);
    for (const [index, reply] of replies.entries()) {
      if (index % 4 === 3) expect(api.readReply(api.getWeight(master1), reply).current).toBe(1);
    }
  });

  it('carry a command as long as the limit allows', async () => {
    const key = 'k'.repeat(16_000 - `add map ${haproxy.mapFile}  v`.length);
    const replies = await haproxy.admin.batch([
      api.addMap(haproxy.mapFile, key, 'v'),
      api.getMap(haproxy.mapFile, 'k'),
      api.showCliLevel(),
    ]);
    expect(replies.map(({ ok }) => ok)).toEqual([true, true, true]);
    expect((await haproxy.admin.run(api.showMap(haproxy.mapFile))).map((entry) => entry.key)).toContain(key);
  });
});

describe('stick tables', () => {
  it('are listed, filled, searched and emptied', async () => {
    expect(await haproxy.admin.run(api.showTables())).toEqual(
      expect.arrayContaining([
        { table: 'master', type: 'string', size: 100, used: 0 },
        { table: 'standby', type: 'ip', size: 10, used: 0 },
      ]),
    );
    await haproxy.admin.batch([
      api.setTable('master', 'two words=\\', { gpc0: 3 }),
      api.setTable('master', 'other', { gpc0: 1 }),
      api.setTable('standby', '10.0.0.1', { conn_cnt: 2 }),
    ]);
    const keys = async (selection?: api.StickSelection): Promise<string[]> =>
      ((await haproxy.admin.run(api.showTable('master', selection)))?.entries ?? []).map(({ key }) => key).sort();
    expect(await keys()).toEqual(['other', 'two words=\\']);
    expect(await keys({ key: 'two words=\\' })).toEqual(['two words=\\']);
    expect(await keys({ where: [{ data: 'gpc0', operator: 'gt', value: 2 }] })).toEqual(['two words=\\']);
    const entries = (await haproxy.admin.run(api.showTable('master', { key: 'other' })))?.entries;
    expect(entries?.[0]?.data).toEqual(
      new Map([
        ['gpc0', '1'],
        ['conn_cur', '0'],
        ['http_req_rate', '0'],
      ]),
    );
    await haproxy.admin.execute(api.clearTable('master', { key: 'other' }));
    expect(await keys()).toEqual(['two words=\\']);
    expect(await haproxy.admin.run(api.showTable('master', { key: 'other' }))).toBeUndefined();
    await haproxy.admin.execute(api.clearTable('master'));
    expect(await keys()).toEqual([]);
    expect((await haproxy.admin.run(api.showTable('standby')))?.entries).toMatchObject([{ key: '10.0.0.1' }]);
  });
});

describe('maps and ACLs', () => {
  it('of maps, entries are added, looked up, changed, removed and cleared', async () => {
    const { admin, mapFile } = haproxy;
    const list = (await admin.run(api.showMaps())).find(({ file }) => file === mapFile);
    if (list === undefined) throw new Error('HAProxy shows no map of that file');
    await admin.execute(api.addMap(mapFile, '10.0.0.2', 'two words, "quoted" \\ and ü'));
    const byNumber = `#${list.number}`;
    expect(await admin.run(api.showMap(byNumber))).toMatchObject([
      { key: '10.0.0.1', value: 'one' },
      { key: '10.0.0.2', value: 'two words, "quoted" \\ and ü' },
    ]);
    expect(await admin.run(api.getMap(byNumber, '10.0.0.2'))).toBe('two words, "quoted" \\ and ü');
    await admin.execute(api.setMap(mapFile, '10.0.0.1', 'changed'));
    expect(await admin.run(api.getMap(mapFile, '10.0.0.1'))).toBe('changed');
    await admin.execute(api.deleteMap(mapFile, '10.0.0.1'));
    expect(await admin.run(api.getMap(mapFile, '10.0.0.1'))).toBeUndefined();
    await admin.execute(api.clearMap(mapFile));
    expect(await admin.run(api.showMap(mapFile))).toEqual([]);
  });

  it('of ACLs, patterns are added, matched, removed and cleared', async () => {
    const { admin, aclFile } = haproxy;
    expect((await admin.run(api.showAcls())).map(({ file }) => file)).toContain(aclFile);
    await admin.execute(api.addAcl(aclFile, '10.0.0.0/8'));
    expect((await admin.run(api.showAcl(aclFile))).map(({ pattern }) => pattern).sort()).toEqual([
      '10.0.0.0/8',
      '10.9.9.9',
    ]);
    expect(await admin.run(api.getAcl(aclFile, '10.1.2.3'))).toBe(true);
    expect(await admin.run(api.getAcl(aclFile, '11.1.2.3'))).toBe(false);
    await admin.execute(api.deleteAcl(aclFile, '10.0.0.0/8'));
    expect(await admin.run(api.getAcl(aclFile, '10.1.2.3'))).toBe(false);
    await admin.execute(api.clearAcl(aclFile));
    expect(await admin.run(api.showAcl(aclFile))).toEqual([]);
  });
});

describe('what the process tells', () => {
  it('says which process it is', async () => {
    const info = await haproxy.adminOverTcp.run(api.showInfo());
    expect(info.pid).toBe(haproxy.pid);
    expect(info.isStopping).toBe(false);
    expect(info.version).toMatch(/^\d+\.\d+/);
    expect(await haproxy.admin.run(api.showBackend())).toEqual(['master', 'standby']);
  });

  it('says the same typed, as JSON and as text', async () => {
    const text = await haproxy.admin.run(api.showInfo());
    for (const asked of [api.showInfoTyped(), api.showInfoJson()]) {
      const fields = await haproxy.admin.run(asked);
      expect(fields.get('Pid')).toBe(text.pid);
      expect(fields.get('Version')).toBe(text.version);
      expect([...fields.keys()]).toEqual([...text.fields.keys()]);
    }
  });

  it('counts the same in CSV, typed and JSON', async () => {
    const csv = await haproxy.admin.run(api.showStat());
    expect(csv.map(({ kind, proxy, name }) => `${kind} ${proxy} ${name}`)).toEqual([
      'frontend master FRONTEND',
      'server master master0',
      'server master master1',
      'backend master BACKEND',
      'frontend standby FRONTEND',
      'server standby standby0',
      'backend standby BACKEND',
    ]);
    for (const asked of [api.showStatTyped(), api.showStatJson()]) {
      const objects = await haproxy.admin.run(asked);
      expect(
        objects.map(({ kind, fields }) => [kind, fields.get('pxname'), fields.get('svname'), fields.get('status')]),
      ).toEqual(csv.map(({ kind, proxy, name, status }) => [kind, proxy, name, status]));
    }
    expect(
      (await haproxy.admin.run(api.showStat({ proxy: 'standby', kinds: ['server'] }))).map(({ name }) => name),
    ).toEqual(['standby0']);
    expect(await haproxy.admin.run(api.showStat({ kinds: ['server'], only: 'no-maint' }))).toHaveLength(1);
  });

  it('leaves the state as it was', async () => {
    const before = await serverState(standby0);
    await haproxy.admin.batch([
      api.showStat(),
      api.showServersState(),
      api.showServersConnections(),
      api.showSessions(),
    ]);
    expect({ ...(await serverState(standby0)), secondsSinceChange: 0 }).toEqual({ ...before, secondsSinceChange: 0 });
  });
});

describe('an HAProxy that is gone', () => {
  it('is reported as unreachable, on both kinds of socket', async () => {
    process.kill(haproxy.pid, 'SIGKILL');
    for (const client of [haproxy.admin, haproxy.adminOverTcp]) {
      await until('nobody listens', async () =>
        client.batch([api.showInfo()]).then(
          () => false,
          (error: unknown) => error instanceof api.RuntimeError && error.code === 'HAPROXY_UNREACHABLE',
        ),
      );
    }
  });

  it('that is frozen makes the call end at its time limit', async () => {
    const impatient = new api.HaproxyRuntime({ path: haproxy.adminSocket }, { timeoutMs: 200 });
    process.kill(haproxy.pid, 'SIGSTOP');
    try {
      await until('every thread of HAProxy stands', () => isStopped(haproxy.pid));
      await expect(impatient.run(api.showInfo())).rejects.toMatchObject({ code: 'HAPROXY_TIMEOUT', replies: [] });
    } finally {
      process.kill(haproxy.pid, 'SIGCONT');
    }
    expect((await haproxy.admin.run(api.showInfo())).pid).toBe(haproxy.pid);
  });
});
