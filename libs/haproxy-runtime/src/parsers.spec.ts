import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseServersConnections } from './connections';
import { readCsvLine } from './csv';
import { parseInfo } from './info';
import { getAcl, getMap, parseAcl, parseMap, parsePatternLists } from './patterns';
import { decodeAdminState, parseServersState } from './servers-state';
import { parseSessions } from './sessions';
import { parseStat } from './stat';
import { parseTable, parseTables } from './tables';
import { parseJsonInfo, parseJsonStat, parseTypedInfo, parseTypedStat } from './typed-fields';

// Texts as HAProxy 2.6.12 wrote them.
const SERVERS_STATE = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port
2 master 1 master0 127.0.0.1 2 4 0 1 7 1 0 2 6 0 0 0 - 29502 - 0 29602 127.0.0.3 - 29601
3 standby 4 n3 - 0 33 1 1 0 1 0 0 8 0 0 0 - 99 - 0 0 - - 0
`;

describe('show servers state', () => {
  it('reads each server', () => {
    const [master, standby, ...rest] = parseServersState(SERVERS_STATE);
    expect(rest).toEqual([]);
    expect(master).toMatchObject({
      backendId: 2,
      backend: 'master',
      serverId: 1,
      server: 'master0',
      address: '127.0.0.1',
      port: 29_502,
      operationalState: 'running',
      weight: 0,
      initialWeight: 1,
      secondsSinceChange: 7,
      checkHealth: 2,
      checkConfigured: true,
      checkEnabled: true,
      checkPaused: false,
      checkAddress: '127.0.0.3',
      checkPort: 29_602,
      fqdn: undefined,
    });
    expect(standby).toMatchObject({ address: undefined, checkAddress: undefined, operationalState: 'stopped' });
    expect(standby).toMatchObject({
      adminState: { bits: 33, forcedMaint: true, resolutionMaint: true },
      checkPaused: true,
    });
  });

  it('does not take a server that was disabled in the file for one in maintenance', () => {
    expect(parseServersState(SERVERS_STATE)[0]?.adminState).toMatchObject({ configuredMaint: true, isMaint: false });
  });

  it('says maintenance for exactly the bits 0x01, 0x02 and 0x20', () => {
    fc.assert(
      fc.property(fc.nat({ max: 0x7f }), (bits) => {
        const state = decodeAdminState(bits);
        expect(state.isMaint).toBe([0x01, 0x02, 0x20].some((bit) => Math.floor(bits / bit) % 2 === 1));
        expect(state.isMaint).toBe(state.forcedMaint || state.inheritedMaint || state.resolutionMaint);
        expect(state.isDrain).toBe(state.forcedDrain || state.inheritedDrain);
      }),
    );
  });

  it('is not confused by columns that another version adds', () => {
    const newer = SERVERS_STATE.replace('# be_id', '# srv_new be_id').replace(/^(?=[23] )/gm, 'x ');
    expect(parseServersState(newer)).toEqual(parseServersState(SERVERS_STATE));
  });

  it('reads a backend without servers', () => {
    expect(parseServersState(SERVERS_STATE.split('\n').slice(0, 2).join('\n'))).toEqual([]);
  });

  it.each([
    ['another format', SERVERS_STATE.replace('1\n', '2\n')],
    ['no header', '1\n'],
    ['nothing', ''],
    ['a column missing', SERVERS_STATE.replace(' srv_op_state', '')],
    ['an unknown state', SERVERS_STATE.replace('127.0.0.1 2 4', '127.0.0.1 9 4')],
    ['a line cut short', SERVERS_STATE.slice(0, -30)],
  ])('refuses %s', (_, text) => {
    expect(() => parseServersState(text)).toThrow(expect.objectContaining({ code: 'HAPROXY_UNREADABLE' }));
  });
});

describe('show servers conn', () => {
  it('reads servers with and without a column for each thread', () => {
    const text =
      '# bkname/svname bkid/svid addr port - purge_delay used_cur used_max need_est unsafe_nb safe_nb idle_lim idle_cur idle_per_thr[2]\n' +
      'standby/standby0 3/1 127.0.0.1 29503 - 5000 1 2 3 4 5 -1 7 0 0\n' +
      'standby/new 3/2 - 0 - 0 0 0 0 0 0 0 0\n';
    expect(parseServersConnections(text)).toEqual([
      {
        backend: 'standby',
        server: 'standby0',
        address: '127.0.0.1',
        port: 29_503,
        used: 1,
        usedMax: 2,
        needed: 3,
        idleUnsafe: 4,
        idleSafe: 5,
        idleLimit: -1,
        idle: 7,
      },
      expect.objectContaining({ server: 'new', address: undefined, port: 0 }),
    ]);
  });
});

describe('show info', () => {
  const text =
    'Name: HAProxy\nVersion: 2.6.12-1+deb12u4\nPid: 6134\nUptime: 0d 0h00m00s\nUptime_sec: 5\nMaxconn: 9983\nCurrConns: 2\n' +
    'node: vm:a\nStopping: 0\nUnstoppable Jobs: 0\nBuild info: 2.6.12\nStart_time_sec: 1795396563\ndescription: \n';

  it('reads what tells a restart, and keeps every field', () => {
    const info = parseInfo(text);
    expect(info).toMatchObject({
      version: '2.6.12-1+deb12u4',
      pid: 6134,
      uptimeSeconds: 5,
      startTimeSeconds: 1_795_396_563,
      node: 'vm:a',
      currentConnections: 2,
      maxConnections: 9983,
      isStopping: false,
    });
    expect(info.fields.get('Unstoppable Jobs')).toBe('0');
    expect(info.fields.get('description')).toBe('');
  });

  it('lives without the start time, which older versions do not tell', () => {
    expect(parseInfo(text.replace(/Start_time_sec.*\n/, '')).startTimeSeconds).toBeUndefined();
  });

  it.each([/Pid.*\n/, /(?<=Pid: )\d+/, /:.*/])('refuses a text without %p', (missing) => {
    expect(() => parseInfo(text.replace(missing, ''))).toThrow(expect.objectContaining({ code: 'HAPROXY_UNREADABLE' }));
  });
});

describe('typed and JSON fields', () => {
  it('gives numbers as numbers, exactly', () => {
    expect(
      parseTypedInfo(
        '6.Pid.1:SGP:u32:6134\n54.Unstoppable Jobs.1:MGP:u32:0\n63.Big.1:MRP:u64:18446744073709551615\n7.Uptime.1:MDP:str:0d 0h00m:00s\n',
      ),
    ).toEqual(
      new Map<string, number | bigint | string>([
        ['Pid', 6134],
        ['Unstoppable Jobs', 0],
        ['Big', 18_446_744_073_709_551_615n],
        ['Uptime', '0d 0h00m:00s'],
      ]),
    );
  });

  it('gathers the fields of each object', () => {
    const objects = parseTypedStat(
      'F.2.0.0.pxname.1:KNS:str:master\nS.2.1.0.pxname.1:KNS:str:master\nS.2.1.55.lastsess.1:MAP:s32:-1\nS.2.1.73.addr.1:CGS:str:127.0.0.1:29502\n',
    );
    expect(objects).toEqual([
      { kind: 'frontend', proxyId: 2, id: 0, fields: new Map([['pxname', 'master']]) },
      {
        kind: 'server',
        proxyId: 2,
        id: 1,
        fields: new Map<string, number | string>([
          ['pxname', 'master'],
          ['lastsess', -1],
          ['addr', '127.0.0.1:29502'],
        ]),
      },
    ]);
  });

  it('reads JSON', () => {
    const field = (name: string, value: object, object = {}): object => ({ ...object, field: { pos: 0, name }, value });
    const server = { objType: 'Server', proxyId: 2, id: 1 };
    expect(parseJsonInfo(JSON.stringify([field('Pid', { type: 'u32', value: 6134 })]))).toEqual(
      new Map([['Pid', 6134]]),
    );
    expect(parseJsonStat(JSON.stringify([[field('pxname', { type: 'str', value: 'master' }, server)]]))).toEqual([
      { kind: 'server', proxyId: 2, id: 1, fields: new Map([['pxname', 'master']]) },
    ]);
  });

  it.each([
    ['no JSON', () => parseJsonInfo('Name: HAProxy')],
    ['no array', () => parseJsonInfo('{}')],
    ['a field without value', () => parseJsonInfo('[{"field":{"name":"Pid"}}]')],
    ['a field of no object', () => parseJsonStat('[[{"field":{"name":"Pid"},"value":{"type":"u32","value":1}}]]')],
    ['statistics that are no array', () => parseJsonStat('{"errorStr":"x"}')],
    ['a line that is not typed', () => parseTypedInfo('Name: HAProxy')],
    ['an unknown kind', () => parseTypedStat('Q.2.0.0.pxname.1:KNS:str:master')],
    ['a number that is none', () => parseTypedStat('F.2.0.0.scur.1:KNS:u32:many')],
  ])('refuses %s', (_, parse) => {
    expect(parse).toThrow(expect.objectContaining({ code: 'HAPROXY_UNREADABLE' }));
  });
});

describe('show stat', () => {
  it('reads back every line of CSV', () => {
    const quote = (field: string): string => (/[", ]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field);
    const field = fc.array(fc.constantFrom('a', '"', ',', ' ', '', 'ü')).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(field, { minLength: 1 }), (fields) => {
        expect(readCsvLine(fields.map(quote).join(','))).toEqual(fields);
      }),
    );
  });

  it.each(['"a', 'a"b', '"a"b,c'])('refuses the line %j', (line) => {
    expect(() => readCsvLine(line)).toThrow(JSON.stringify(line));
  });

  it('names each column, also where a check’s text holds commas and quotes', () => {
    const text =
      '# pxname,svname,scur,status,type,last_chk,\n' +
      'master,FRONTEND,3,OPEN,0,,\nmaster,master0,1,UP 1/3,2,"said ""no, never""",\nmaster,BACKEND,0,UP,1,,\n';
    const [frontend, server, backend] = parseStat(text);
    expect(frontend).toMatchObject({ kind: 'frontend', proxy: 'master', name: 'FRONTEND', currentSessions: 3 });
    expect(server).toMatchObject({ kind: 'server', name: 'master0', status: 'UP 1/3', currentSessions: 1 });
    expect(server?.fields.get('last_chk')).toBe('said "no, never"');
    expect(backend).toMatchObject({ kind: 'backend', status: 'UP' });
  });

  it.each(['', 'pxname,svname,\n', '# pxname,svname,scur,status,type,\nmaster,x,,UP,9,\n'])('refuses %j', (text) => {
    expect(() => parseStat(text)).toThrow(expect.objectContaining({ code: 'HAPROXY_UNREADABLE' }));
  });
});

describe('show sess', () => {
  it('reads who talks to whom', () => {
    const text =
      '0x7faf10039d90: proto=tcpv4 src=127.0.0.1:40000 fe=master be=master srv=master0 ts=00 epoch=0 age=1m5s calls=1 rate=1 cpu=0 lat=0 rq[f=c48202h,i=0,an=00h,rx=3s,wx=,ax=] rp[f=80048202h,i=0] s0=[8,200008h,fd=11,ex=] exp=\n' +
      '0x55d0: proto=unix_stream src=unix:2 fe=GLOBAL be=<NONE> srv=<none> ts=00 age=0s\n';
    const [client, asker] = parseSessions(text);
    expect(client).toMatchObject({ id: '0x7faf10039d90', source: '127.0.0.1:40000', server: 'master0', age: '1m5s' });
    expect(client?.fields.get('rq')).toBe('[f=c48202h,i=0,an=00h,rx=3s,wx=,ax=]');
    expect(client?.fields.get('s0')).toBe('[8,200008h,fd=11,ex=]');
    expect(asker).toMatchObject({ frontend: 'GLOBAL', backend: undefined, server: undefined });
  });

  it('refuses what is no session', () => {
    expect(() => parseSessions('hello')).toThrow('not a session: "hello"');
    expect(() => parseSessions('0x1: src=a')).toThrow('session without proto');
  });
});

describe('show table', () => {
  it('reads tables and entries, escaped keys included', () => {
    expect(parseTables('# table: a, type: ip, size:10, used:0\n# table: b, type: string, size:100, used:1\n')).toEqual([
      { table: 'a', type: 'ip', size: 10, used: 0 },
      { table: 'b', type: 'string', size: 100, used: 1 },
    ]);
    const text =
      '# table: b, type: string, size:100, used:1\n' +
      '0x56: key=a\\ b\\=\\x41\\\\\\t use=1 exp=600000 shard=0 gpc0=3 conn_cur=0 http_req_rate(10000)=7\n';
    expect(parseTable(text).entries).toEqual([
      {
        key: 'a b=A\\\t',
        uses: 1,
        expiresInMs: 600_000,
        data: new Map([
          ['gpc0', '3'],
          ['conn_cur', '0'],
          ['http_req_rate', '7'],
        ]),
      },
    ]);
  });

  it.each(['', '# tables: a', '# table: b, type: string, size:100, used:1\nkey=a'])('refuses %j', (text) => {
    expect(() => parseTable(text)).toThrow(expect.objectContaining({ code: 'HAPROXY_UNREADABLE' }));
  });
});

describe('maps and ACLs', () => {
  it('reads the lists', () => {
    expect(
      parsePatternLists(
        "# id (file) description\n1 (/a.acl) pattern loaded from file '/a.acl'. curr_ver=0\n2 () acl 'src' file 'h.cfg' line 14.\n",
      ),
    ).toEqual([
      { number: 1, file: '/a.acl', description: "pattern loaded from file '/a.acl'. curr_ver=0" },
      { number: 2, file: undefined, description: "acl 'src' file 'h.cfg' line 14." },
    ]);
  });

  it('reads entries', () => {
    expect(parseMap('0x56 10.0.0.1 one\n0x57 k two words\n')).toEqual([
      { id: '0x56', key: '10.0.0.1', value: 'one' },
      { id: '0x57', key: 'k', value: 'two words' },
    ]);
    expect(parseAcl('0x56 a b\n')).toEqual([{ id: '0x56', pattern: 'a b' }]);
    expect(parseAcl('')).toEqual([]);
  });

  it('reads what a key gives', () => {
    const value = (text: string): string | undefined => getMap('#0', 'k').parse(text);
    expect(
      value('type=str, case=sensitive, found=yes, idx=tree, key="10.0.0.2", value="two "words"", type="str"'),
    ).toBe('two "words"');
    expect(value('type=str, case=sensitive, found=no')).toBeUndefined();
    expect(() => value('type=str')).toThrow('not an answer of "get map"');
    expect(getAcl('#0', 'k').parse('type=ip, case=sensitive, match=yes, idx=tree, pattern="10.9.9.9"')).toBe(true);
    expect(getAcl('#0', 'k').parse('type=ip, case=sensitive, match=no')).toBe(false);
    expect(() => getAcl('#0', 'k').parse('')).toThrow('not an answer of "get acl"');
  });

  it.each([() => parseMap('nothing'), () => parseAcl('nothing'), () => parsePatternLists('nothing')])(
    'refuses what is no entry',
    (parse) => {
      expect(parse).toThrow(expect.objectContaining({ code: 'HAPROXY_UNREADABLE' }));
    },
  );
});
