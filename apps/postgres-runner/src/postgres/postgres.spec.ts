import fc from 'fast-check';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseProgress } from './base-backup';
import { majorOf } from './binaries';
import { hbaText } from './hba';
import { runInitScripts, scriptKind } from './init-scripts';
import { LineCutter, parseLogLine, PostgresLog } from './log-lines';
import { readPostmasterStatus, removeStaleLocks } from './postmaster-file';
import { conninfo, passfileField, settingValue, sqlName, sqlText } from './quoting';
import { isReceiverTitle } from './receivers';
import { ServerFiles } from './server-files';
import { parseSetting, settingProblems } from './settings';
import { usersSql } from './users';
import { silentLog } from '@ha-postgres/service-kit';

const account = { uid: 0, spawn: {}, own: () => undefined };
let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hapg-files-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe('quoting', () => {
  test('each place has its own rules', () => {
    const nasty = 'a\'b\\c:d"e';
    expect(conninfo({ host: nasty, port: 1 })).toBe("host='a\\'b\\\\c:d\"e' port='1'");
    expect(settingValue(nasty)).toBe("'a''b\\\\c:d\"e'");
    expect(passfileField(nasty)).toBe('a\'b\\\\c\\:d"e');
    expect(sqlText(nasty)).toBe("'a''b\\c:d\"e'");
    expect(sqlName(nasty)).toBe('"a\'b\\c:d""e"');
  });

  test('no value ends a setting early', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        const inner = settingValue(value).slice(1, -1);
        return !inner.includes('\n') && !/(?<!\\)(?:\\\\)*'/.test(inner.replaceAll("''", ''));
      }),
    );
  });
});

describe('settings', () => {
  test('what failover depends on cannot be set, each with its reason', () => {
    expect(settingProblems(['work_mem=5MB', "search_path = 'a, b'", 'auto_explain.log_min_duration=0'])).toEqual([]);
    const problems = settingProblems([
      'restart_after_crash=on',
      'PORT=1',
      'primary_conninfo=x',
      'recovery_target=immediate',
      'oops',
      'recovery_min_apply_delay=1h',
    ]);
    expect(problems).toHaveLength(6);
    expect(problems[1]).toContain('use the option port');
    expect(problems[4]).toContain('name=value');
  });

  test('a value may hold what it likes', () => {
    expect(parseSetting(' a.b = x=y ')).toEqual({ name: 'a.b', value: 'x=y' });
    expect(parseSetting('1=2')).toBeNull();
  });
});

describe("PostgreSQL's files", () => {
  const upstream = { node: 'm', host: 'm.local', port: 5433, apiPort: 8080, term: 4 };
  function files(): ServerFiles {
    mkdirSync(join(root, 'data'), { recursive: true });
    return new ServerFiles(
      {
        node: 'a',
        dataDir: join(root, 'data'),
        stateDir: join(root, 'state'),
        replicationName: 'repl:1',
        replicationPassword: 'p:w',
        rewindName: 'rewinder',
        rewindPassword: 'r:w',
        settings: ["search_path='x'"],
        hba: (admits) => `# ${admits}\n`,
      },
      account,
    );
  }

  test('the upstream is named without its password, which lies in a file of its own', () => {
    const written = files();
    written.writeStatic();
    written.writeConfig(upstream);
    const text = readFileSync(written.config, 'utf8');
    expect(text).toContain("primary_conninfo = 'host=''m.local'' port=''5433'' user=''repl:1'' application_name=''a''");
    expect(text).not.toContain('p:w');
    expect(text).toContain("search_path = '''x'''");
    const passfile = join(written.directory, 'replication.pgpass');
    expect(readFileSync(passfile, 'utf8')).toBe('*:*:*:repl\\:1:p\\:w\n*:*:*:rewinder:r\\:w\n');
    expect(statSync(passfile).mode & 0o777).toBe(0o600);
    expect(text).toContain("primary_slot_name = ''");
    written.writeConfig({ ...upstream, slot: 'ha_4_a' });
    expect(readFileSync(written.config, 'utf8')).toContain("primary_slot_name = 'ha_4_a'");
    expect(written.rewindConninfo(upstream)).toContain("user='rewinder' dbname='postgres'");
    written.writeConfig(null);
    expect(readFileSync(written.config, 'utf8')).toContain("primary_conninfo = ''");
  });

  test('WAL is streamed through the load balancers where there are such, and copies are made from the upstream itself', () => {
    const written = files();
    const through = {
      ...upstream,
      via: [
        { host: 'lb0', port: 5434 },
        { host: 'lb1', port: 15434 },
      ],
    };
    written.writeConfig(through);
    expect(readFileSync(written.config, 'utf8')).toContain(
      "primary_conninfo = 'host=''lb0,lb1'' port=''5434,15434'' user",
    );
    expect(written.upstreamConninfo(through, 'a-clone')).toContain("host='m.local' port='5433' user");
  });

  test('the settings that go with the role are written together, outlive the runner, and nobody overrides them', () => {
    const written = files();
    const auto = join(root, 'data', 'postgresql.auto.conf');
    writeFileSync(auto, "synchronous_standby_names = '*'\n");
    written.writeConfig(upstream);
    written.configure({ synchronousStandbyNames: 'ANY 1 ("b", "it\'s")', admits: 'replication' });
    const text = readFileSync(written.config, 'utf8');
    expect(text).toContain(`synchronous_standby_names = 'ANY 1 ("b", "it''s")'`);
    expect(text).toContain("ha_postgres.admits = 'replication'");
    expect(text).toContain("host=''m.local''");
    expect(readFileSync(written.hba, 'utf8')).toBe('# replication\n');
    expect(readFileSync(auto, 'utf8')).toBe('');
    const again = files();
    expect(again.settings).toEqual({ synchronousStandbyNames: 'ANY 1 ("b", "it\'s")', admits: 'everyone' });
  });

  test('slots that this node kept as Master are removed, those of others only where they came with a copy', () => {
    const written = files();
    const slots = join(root, 'data', 'pg_replslot');
    for (const name of ['ha_4_b', 'theirs']) mkdirSync(join(slots, name), { recursive: true });
    written.removeSlots();
    expect(readdirSync(slots)).toEqual(['theirs']);
    written.removeSlots(true);
    expect(readdirSync(slots)).toEqual([]);
  });

  test('what ALTER SYSTEM or pg_basebackup left does not override the upstream', () => {
    const written = files();
    const auto = join(root, 'data', 'postgresql.auto.conf');
    writeFileSync(auto, "# kept\nwork_mem = '4MB'\nprimary_conninfo = 'host=old'\nrecovery_target_lsn = '0/1'\n");
    expect(written.alteredSettings()).toEqual(['primary_conninfo', 'recovery_target_lsn']);
    written.cleanAutoConf();
    expect(readFileSync(auto, 'utf8')).toBe("# kept\nwork_mem = '4MB'\n");
    expect(written.alteredSettings()).toEqual([]);
  });

  test('a standby has its signal file, and no promotion left over', () => {
    const written = files();
    const exists = (name: string) => {
      try {
        return statSync(join(root, 'data', name)).isFile();
      } catch {
        return false;
      }
    };
    writeFileSync(join(root, 'data', 'promote'), '');
    written.writeSignal(true);
    expect([exists('standby.signal'), exists('promote')]).toEqual([true, false]);
    written.writeSignal(false);
    expect(exists('standby.signal')).toBe(false);
  });

  test('only the locks of this data directory are removed', () => {
    const dataDir = join(root, 'data');
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'postmaster.pid'), `12\n${dataDir}\n1\n5432\n\n*\n  1  2\nready   \n`);
    expect(readPostmasterStatus(dataDir, 12)).toBe('ready');
    expect(readPostmasterStatus(dataDir, 13)).toBeNull();
    const [ours, theirs] = [5432, 5433].map((port) => join(root, `.s.PGSQL.${port}.lock`));
    writeFileSync(ours ?? '', `12\n${dataDir}\n`);
    writeFileSync(theirs ?? '', '13\n/elsewhere\n');
    for (const port of [5432, 5433]) removeStaleLocks(dataDir, root, port);
    expect(readPostmasterStatus(dataDir, 12)).toBeNull();
    expect(() => statSync(ours ?? '')).toThrow();
    expect(statSync(theirs ?? '').isFile()).toBe(true);
  });
});

test('replication has its own user, and the lines of the user come before the general ones', () => {
  const text = hbaText({
    superuserName: 's',
    replicationName: 'r',
    rewindName: 'w',
    controllerName: 'c',
    localAuth: 'peer',
    hba: ['host x y z reject'],
  });
  const lines = text.split('\n');
  expect(lines).toContain('host replication "r" all scram-sha-256');
  expect(lines).toContain('host postgres "w" all scram-sha-256');
  expect(lines.indexOf('host x y z reject')).toBeLessThan(lines.indexOf('host all all all scram-sha-256'));
  expect(text).not.toContain('trust');
});

const source = {
  replicationName: 'r',
  replicationPassword: 'x',
  rewindName: 'w',
  rewindPassword: 'y',
  controllerName: 'c',
  controllerPassword: "p'w",
};

test('pg_rewind has a user of its own, who may read files and nothing else; none without a password', () => {
  const sql = usersSql(source, 15).split('\n');
  expect(sql.filter((line) => line.includes('"w"')).map((line) => line.replace(/ TO "w";|PASSWORD.*/, ''))).toEqual([
    'CREATE ROLE "w" LOGIN ',
    'GRANT EXECUTE ON FUNCTION pg_catalog.pg_ls_dir(text, boolean, boolean)',
    'GRANT EXECUTE ON FUNCTION pg_catalog.pg_stat_file(text, boolean)',
    'GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text)',
    'GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file(text, bigint, bigint, boolean)',
    'GRANT pg_checkpoint',
  ]);
  expect(usersSql({ ...source, rewindPassword: undefined }, 15)).not.toContain('"w"');
});

test('the controller gets no more than it needs, which before 15 is a superuser', () => {
  expect(usersSql(source, 15)).toContain("CREATE ROLE \"c\" LOGIN REPLICATION PASSWORD 'p''w'");
  expect(usersSql(source, 15)).toContain('GRANT pg_checkpoint TO "c"');
  expect(usersSql(source, 14)).toContain('CREATE ROLE "c" LOGIN SUPERUSER');
  expect(usersSql(source, 16)).toContain('GRANT pg_use_reserved_connections TO "c"');
  expect(usersSql({ ...source, controllerPassword: undefined }, 15)).not.toContain('"c"');
});

describe("PostgreSQL's log", () => {
  test('WAL that the upstream has removed is remembered until another is asked', () => {
    const lines = new PostgresLog(silentLog);
    expect(lines.walGone).toBeNull();
    lines.push(
      '<12|||XX000> FATAL:  could not receive data from WAL stream: ERROR:  requested WAL segment 000000010000000000000003 has already been removed\n',
    );
    expect(lines.walGone).toBe('requested WAL segment 000000010000000000000003 has already been removed');
    lines.forgetWalGone();
    expect(lines.walGone).toBeNull();
  });

  test('its severity becomes a level, its prefix fields', () => {
    expect(parseLogLine('<12|bob|app|23505> ERROR:  duplicate key')).toEqual({
      level: 'warn',
      severity: 'ERROR',
      message: 'duplicate key',
      fields: { pid: 12, severity: 'ERROR', user: 'bob', database: 'app', sqlState: '23505' },
    });
    expect(parseLogLine('<12|||00000> LOG:  ready')).toMatchObject({ level: 'info', fields: { pid: 12 } });
    expect(parseLogLine('<12|||00000> DEBUG2:  x').level).toBe('debug');
    expect(parseLogLine('<12|||00000> PANIC:  x').level).toBe('error');
    expect(parseLogLine('bash: oops')).toMatchObject({ severity: null, message: 'bash: oops' });
  });

  test('lines come out whole however the text was cut', () => {
    const text = '<1|||00000> LOG:  a\n\tand b\n<1|||00000> LOG:  c\n';
    fc.assert(
      fc.property(fc.array(fc.nat(text.length)), (cuts) => {
        const edges = [0, ...[...cuts].sort((left, right) => left - right), text.length];
        const cutter = new LineCutter();
        const lines = edges.slice(1).flatMap((edge, at) => cutter.push(text.slice(edges[at], edge)));
        const whole = [...lines, ...cutter.end()].join('\n').replaceAll('\t', '');
        return whole === '<1|||00000> LOG:  a\nand b\n<1|||00000> LOG:  c';
      }),
    );
  });
});

test('a receiver is told from a session by its title', () => {
  expect(isReceiverTitle('postgres: a: walreceiver streaming 0/3000148   ')).toBe(true);
  expect(isReceiverTitle('postgres: walreceiver ')).toBe(true);
  expect(isReceiverTitle('postgres: a: walreceiver db 127.0.0.1(4711) idle')).toBe(false);
  expect(isReceiverTitle('postgres: a: bob walreceiver 127.0.0.1(4711) idle')).toBe(false);
  expect(isReceiverTitle('postgres: a: walsender replicator 127.0.0.1(1) streaming 0/1')).toBe(false);
});

test("progress of a base backup and the server's version are read from what the programs print", () => {
  expect(parseProgress(' 1024/30402 kB (3%), 0/1 tablespace')).toMatchObject({ doneBytes: 1024 * 1024, percent: 3 });
  expect(parseProgress('30402/30402 kB (100%), 1/1 tablespace')).toMatchObject({ percent: 100 });
  expect(parseProgress('pg_basebackup: error: x')).toBeNull();
  expect(majorOf('postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)')).toBe(15);
  expect(majorOf('postgres (PostgreSQL) 18beta1')).toBe(18);
  expect(majorOf('mysqld 8')).toBeNull();
});

describe('init scripts', () => {
  test('are known by their ending as in the official image', () => {
    expect(scriptKind('a.sh', true)).toBe('execute');
    expect(scriptKind('a.sh', false)).toBe('source');
    expect(scriptKind('a.sql', true)).toBe('sql');
    expect(scriptKind('a.sql.gz', false)).toBe('sqlGzip');
    expect(scriptKind('a.sql.bak', false)).toBe('ignore');
  });

  test('run in alphabetical order, and none after one that fails', async () => {
    for (const name of ['20.sql', '10.sql', '30.sql']) writeFileSync(join(root, name), '');
    const ran: string[] = [];
    const run = (_command: string, arguments_: readonly string[]) => {
      const path = arguments_.at(-1) ?? '';
      ran.push(path);
      return path.endsWith('20.sql') ? Promise.reject(new Error('division by zero')) : Promise.resolve();
    };
    const scripts = runInitScripts(root, { psql: ['psql'], run, onScript: () => undefined, log: silentLog });
    await expect(scripts).rejects.toThrow('init script 20.sql: division by zero');
    expect(ran).toEqual([join(root, '10.sql'), join(root, '20.sql')]);
  });
});
