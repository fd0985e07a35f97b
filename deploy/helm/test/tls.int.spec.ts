import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { render } from '../src/testing/render';
import { filesOf } from '../src/testing/workloads';
import { Postgres, accountOfPostgres } from './fixture/postgres';

/*
 * What db.postgres.tls makes, in a real PostgreSQL: the settings and the line of pg_hba.conf, with a key as Kubernetes mounts it.
 */

const MOUNTED = '/etc/postgres-tls';

interface RunnerFile {
  readonly settings: readonly string[];
  readonly hba: readonly string[];
}

let directory: string;
let postgres: Postgres | null = null;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'chart-tls-'));
  const [key, certificate] = [join(directory, 'tls.key'), join(directory, 'tls.crt')];
  const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=postgres', '-days', '1'];
  execFileSync('openssl', [...request, '-keyout', key, '-out', certificate], { stdio: 'ignore' });
  const { gid } = accountOfPostgres;
  chmodSync(directory, 0o755);
  // Of root with fsGroup, mode 0440, as in the pod; whoever is not root has a key of his own.
  if (gid !== undefined) chownSync(key, 0, gid);
  chmodSync(key, gid === undefined ? 0o600 : 0o440);

  const values = { db: { postgres: { tls: { secretName: 'pg-tls', required: true } } } };
  const { settings, hba } = parse(filesOf(render(values), 'ha-postgres-runner')['runner.yaml'] ?? '') as RunnerFile;
  const lines = settings.map((setting) =>
    setting.replace(/=(.*)$/, (_, value: string) => ` = '${value.replace(MOUNTED, directory)}'`),
  );
  postgres = await Postgres.start({ settings: lines, hba });
});

afterAll(async () => {
  await postgres?.destroy();
  rmSync(directory, { recursive: true, force: true });
});

const connect = (sslmode: string): string => {
  const place = `host=127.0.0.1 dbname=postgres sslmode=${sslmode}`;
  return postgres?.ask(place, 'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()') ?? '';
};

test('who asks for TLS has it, and so has a Replica, which asks for it where it is offered', () => {
  expect(connect('require')).toBe('t');
  expect(connect('prefer')).toBe('t');
});

test('who comes without TLS is refused', () => {
  expect(() => connect('disable')).toThrow('no encryption');
});
