import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

const BOUND_MS = 30_000;

/** How a process that is to end by itself has ended; `code` null: it had not, and was killed. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/**
 * Runs what a process runs, by its very command and environment but for what is changed, in this process's network.
 * Resolves when it has ended.
 */
export async function runAgain(
  pid: number,
  change: Readonly<Record<string, string>>,
  ...more: readonly string[]
): Promise<Ended> {
  const list = (file: string) =>
    readFileSync(`/proc/${pid}/${file}`, 'utf8')
      .split('\0')
      .filter((one) => one !== '');
  const [command = '', ...arguments_] = list('cmdline');
  const environment = Object.fromEntries(
    list('environ').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const child = spawn(command, [...arguments_, ...more], {
    env: { ...environment, ...change },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const bound = setTimeout(() => child.kill('SIGKILL'), BOUND_MS);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(bound);
  return { code, output: (await output).join('') };
}
