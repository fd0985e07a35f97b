import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { APPS } from '../src/projects';
import { ROOT, read } from '../src/repository';

/** No option takes all of them, and some take none. `@` stands for a text that nobody would type. */
const GARBAGE = ['', '@', '-1', '99999999999999999999', '{}', '../../..', '1e3', 'ü\n;"'];
/** So many processes at once. */
const AT_ONCE = 4;
/** Told what is wrong with the configuration; hapg has exit codes of its own. */
const REFUSED = { hapg: 2, others: 78 } as const;

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

const isHapg = (app: string) => app === 'hapg';
const flagsOf = (app: string): string[] =>
  [...read(`docs/config/${app}.md`).matchAll(/^\| `(--[a-z-]+)`/gm)].map(([, flag = '']) => flag);

/** Started with options set to garbage: services only check their configuration, hapg asks a Consul that is not there. */
async function started(app: string, flags: readonly string[], value: string): Promise<Ended> {
  const ending = isHapg(app) ? ['history'] : ['--check-config'];
  const arguments_ = [`apps/${app}/dist/main.js`, ...flags.map((flag) => `${flag}=${value}`), ...ending];
  const child = spawn(process.execPath, arguments_, {
    cwd: ROOT,
    env: { PATH: process.env.PATH, CONSUL_HTTP_ADDR: '127.0.0.1:1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const bound = setTimeout(() => child.kill('SIGKILL'), 20_000);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(bound);
  return { code, output: (await output).join('') };
}

async function inTurns<T, R>(all: readonly T[], each: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < all.length; at += AT_ONCE)
    results.push(...(await Promise.all(all.slice(at, at + AT_ONCE).map(each))));
  return results;
}

/** What was wrong with how it ended; null: nothing. */
async function problemOf(app: string, flags: readonly string[], value: string): Promise<string | null> {
  const { code, output } = await started(app, flags, value);
  const what = `${app} ${flags.join(' ')}=${JSON.stringify(value)}: ${code ?? 'killed'} ${output.slice(0, 300)}`;
  const refused = isHapg(app) ? REFUSED.hapg : REFUSED.others;
  // hapg with a value that it takes fails to reach Consul; services lack what is required, or accept.
  if (![0, refused, ...(isHapg(app) ? [1] : [])].includes(code ?? -1)) return `an exit code of its own: ${what}`;
  if (/^\s+at .+:\d+:\d+\)?$/m.test(output)) return `a stack instead of a sentence: ${what}`;
  if (code === refused && output.trim() === '') return `no word of why: ${what}`;
  return null;
}

test.each(APPS.map(({ name }) => [name] as const))(
  '%s refuses garbage in any option with a sentence, or takes it, but never falls over it',
  async (app) => {
    const flags = flagsOf(app);
    // All at once each kind, as all problems are told at once; and each by itself one kind.
    const cases = [
      ...GARBAGE.map((value) => ({ of: flags, value })),
      ...flags.map((flag) => ({ of: [flag], value: '@' })),
    ];
    expect(flags.length).toBeGreaterThan(3);
    const problems = await inTurns(cases, ({ of, value }) => problemOf(app, of, value));
    expect(problems.filter((problem) => problem !== null)).toEqual([]);
  },
  120_000,
);

test.each(APPS.filter(({ name }) => !isHapg(name)).map(({ name }) => [name] as const))(
  '%s names every bad option by its flag, and repeats the value',
  async (app) => {
    const typed = flagsOf(app).filter((flag) => /interval|timeout|port|duration|limit/.test(flag));
    expect(typed.length).toBeGreaterThan(0);
    const { output } = await started(app, typed, 'soonish');
    const lines = output.split('\n').filter((line) => line.includes('"soonish"'));
    expect(typed.filter((flag) => !lines.some((line) => line.includes(`(${flag})`)))).toEqual([]);
  },
  60_000,
);
