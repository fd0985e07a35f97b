import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { startHaproxy } from './real-haproxy';

const root = join(__dirname, '..');
const exampleFile = join(root, 'example', 'route-to-new-master.ts');

describe('the example', () => {
  it('is the code of the README', async () => {
    const code = (await readFile(exampleFile, 'utf8')).replace(/^\/\/ eslint-disable.*\n/m, '');
    expect(await readFile(join(root, 'README.md'), 'utf8')).toContain(`\`\`\`ts\n${code}\`\`\``);
  });

  it('routes to the server it is given', async () => {
    const haproxy = await startHaproxy();
    const dir = await mkdtemp(join(tmpdir(), 'haproxy-example-'));
    try {
      const outfile = join(dir, 'example.js');
      await build({
        entryPoints: [exampleFile],
        outfile,
        bundle: true,
        platform: 'node',
        conditions: ['@ha-postgres/source'],
      });
      const { stdout } = await promisify(execFile)(process.execPath, [outfile, haproxy.adminSocket, '127.0.0.9']);
      expect(stdout).toBe('127.0.0.9:5432 is running\n127.0.0.1:9 is running\n');
    } finally {
      await haproxy.stop();
      await rm(dir, { recursive: true, force: true });
    }
  });
});
