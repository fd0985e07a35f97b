import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { APPS } from '../src/projects';
import { FILES, ROOT, read } from '../src/repository';

const run = promisify(execFile);

/** Where a flag of a service's `--help` begins its line, at two blanks. */
const FLAG = /^ {2}(?:-\w, )?(--[a-z][a-z-]*)/gm;
/** Those that every service has, and that its list of options does not hold. */
const COMMON = ['--help', '--version', '--check-config', '--print-options-markdown', '--config'];

test('docs/config is what tools/generate-docs writes from the built services', async () => {
  const told = await run(process.execPath, ['tools/generate-docs.mjs', '--check'], { cwd: ROOT }).then(
    ({ stdout }) => stdout,
    // It ends with 1 and says which pages are out of date; where it could not even do that, the error tells.
    (error: unknown) => (error as { stdout: string }).stdout || String(error),
  );
  expect(told).toBe('');
});

test.each(APPS.map(({ name }) => [name]))('every flag that %s --help shows stands on its page', async (name) => {
  expect(FILES).toContain(`docs/config/${name}.md`);
  const { stdout } = await run(process.execPath, [`apps/${name}/dist/main.js`, '--help'], { cwd: ROOT });
  const shown = [...stdout.matchAll(FLAG)].map(([, flag = '']) => flag).filter((flag) => !COMMON.includes(flag));
  const documented = [...read(`docs/config/${name}.md`).matchAll(/^\| `(--[a-z-]+)`/gm)].map(([, flag]) => flag);
  expect(shown.length).toBeGreaterThan(3);
  expect(documented.sort()).toEqual(shown.sort());
});
