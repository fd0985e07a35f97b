import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readEvents, type Verdict } from '../src';
import { Lab } from './lab';
import { eventually, PASSWORD, type PlainPostgres } from './plain-postgres';

const BUNDLE = join(__dirname, '..', 'dist', 'checker.js');

let lab: Lab;
let child: ChildProcess | null;
beforeEach(() => {
  lab = new Lab();
  child = null;
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await lab.end();
});

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

function checker(...args: readonly string[]): { ended: Promise<Outcome>; process: ChildProcess } {
  const started = spawn(process.execPath, [BUNDLE, ...args], { env: { ...process.env, PGPASSWORD: PASSWORD } });
  child = started;
  let output = '';
  for (const stream of [started.stdout, started.stderr])
    stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return {
    ended: once(started, 'close').then(([code]) => ({ code: code as number | null, output })),
    process: started,
  };
}

async function addresses(...nodes: readonly PlainPostgres[]): Promise<string[]> {
  const probed = nodes.flatMap(({ port }, index) => ['--node', `node${index}=127.0.0.1:${port}`]);
  return ['--master', `127.0.0.1:${await lab.balancerPort()}`, ...probed];
}

it('ends with 0 for a healthy server, and shows of its own record that it would have found every kind of violation', async () => {
  const at = await addresses(await lab.primary());
  const run = await checker('run', ...at, '--seconds', '2', '--history', lab.historyFile).ended;
  expect(run.code === 0 ? '' : run.output).toBe('');
  expect(run.output).toContain('nothing is wrong');
  expect((await checker('check', lab.historyFile).ended).code).toBe(0);

  const planted = await checker('plant', lab.historyFile).ended;
  expect(planted.code === 0 ? '' : planted.output).toBe('');
  expect(planted.output.match(/: found$/gm)).toHaveLength(8);
});

it('ends with 1 when writes are injected on a second primary, and says which', async () => {
  const [one, other] = [await lab.primary(), await lab.primary()];
  await other.query('CREATE TABLE ha_postgres_checker (run text, id bigint, writer text)');
  const json = join(lab.directory, 'out.json');
  const { code, output } = await checker('run', ...(await addresses(one, other)), '--seconds', '2', '--json', json)
    .ended;
  expect({ code, output }).toMatchObject({
    code: 1,
    // Whoever wrote first is named first.
    output: expect.stringMatching(/node0 and node1 took writes|node1 and node0 took writes/) as string,
  });
  const verdict = JSON.parse(readFileSync(json, 'utf8')) as Verdict;
  expect(verdict).toMatchObject({ isFine: false, writersAtOnceMax: 2 });
  expect(verdict.violations.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['late', 'writersAtOnce']));
});

it('ends in order when it is told to', async () => {
  const run = checker('run', ...(await addresses(await lab.primary())), '--history', lab.historyFile);
  await eventually('a write', () => hasAcknowledged());
  run.process.kill('SIGTERM');
  const { code, output } = await run.ended;
  expect(code === 0 ? '' : output).toBe('');
});

it('leaves a record that can be checked when it is killed; nobody knows then what is stored', async () => {
  const run = checker('run', ...(await addresses(await lab.primary())), '--history', lab.historyFile);
  await eventually('a write', () => hasAcknowledged());
  run.process.kill('SIGKILL');
  await run.ended;
  const { code, output } = await checker('check', lab.historyFile).ended;
  expect({ code, wrong: output.match(/WRONG \(\w+\)/g) }).toEqual({ code: 1, wrong: ['WRONG (unread)'] });
});

it.each([
  ['no address', ['run'], 'give --cluster FILE, or --master HOST:PORT'],
  ['a bad address', ['run', '--master', 'nowhere'], 'give HOST:PORT'],
  ['a node without a name', ['run', '--master', 'a:1', '--node', 'a:1'], 'give NAME=HOST:PORT'],
  ['no record', ['check', '/nowhere/at/all'], 'ENOENT'],
])('ends with 2 and says why for %s', async (_, args, why) => {
  const { code, output } = await checker(...args).ended;
  expect({ code, output }).toEqual({ code: 2, output: expect.stringContaining(why) as string });
});

it('ends with 2 for a record that is damaged, and names the line', async () => {
  writeFileSync(lab.historyFile, '{"type":"run","version":1,"at":0}\nnonsense\n');
  const { code, output } = await checker('check', lab.historyFile).ended;
  expect({ code, output }).toEqual({ code: 2, output: expect.stringContaining('line 2') as string });
});

function hasAcknowledged(): boolean {
  try {
    return readEvents(lab.historyFile).some(({ type }) => type === 'acknowledged');
  } catch {
    return false; // It is not there yet.
  }
}
