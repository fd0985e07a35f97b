import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LocalPostgres, freePort } from './local-postgres';

const run = promisify(execFile);
const project = join(__dirname, '..');

describe('the example in the README', () => {
  let folder: string;
  let script: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pg-health-example-'));
    script = join(folder, 'health.js');
    const options = ['--bundle', '--platform=node', '--conditions=@ha-postgres/source', '--external:pg-native'];
    await run(require.resolve('esbuild/bin/esbuild'), ['example/health.ts', ...options, `--outfile=${script}`], {
      cwd: project,
    });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const runAgainst = async (port: number, password: string): Promise<string> => {
    const env = { ...process.env, PGHOST: '127.0.0.1', PGPORT: String(port), PGUSER: 'postgres', PGPASSWORD: password };
    return (await run(process.execPath, [script], { env })).stdout;
  };

  it('is the file in example/, but for a note to our linter', () => {
    const example = readFileSync(join(project, 'example/health.ts'), 'utf8');
    const readme = readFileSync(join(project, 'README.md'), 'utf8');
    expect(readme).toContain(example.replace(/^\/\/ eslint-disable.*\n/m, ''));
  });

  it('tells role, timeline and position of a live server, and ends', async () => {
    const postgres = await LocalPostgres.initialised();
    try {
      await postgres.start();
      const output = await runAgainst(postgres.port, postgres.target.password);
      expect(output).toMatch(/^Master on timeline 1 at 0\/[0-9A-F]+\n$/);
      expect(await runAgainst(postgres.port, 'wrong')).toMatch(/^not alive: authentication: /);
    } finally {
      await postgres.destroy();
    }
  });

  it('tells that nobody listens', async () => {
    expect(await runAgainst(await freePort(), 'any')).toMatch(/^not alive: refused: /);
  });
});
