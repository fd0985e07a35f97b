import { spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import type { Account } from './account';
import { LineCutter } from './log-lines';

export interface ProgramSource {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly cwd: string;
  readonly account: Account;
  readonly environment?: Readonly<Record<string, string>>;
  /** Written to its standard input, which is empty otherwise. */
  readonly input?: string | ((stdin: Writable) => void);
  /** Each line of its output, both streams. */
  readonly onLine?: (line: string) => void;
  readonly signal: AbortSignal;
}

const TAIL_LINES = 5;

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    return;
  }
}

/**
 * Runs a program to its end. When `signal` is aborted, it and everything it has started (but for new sessions) is killed.
 * @throws Error with the last lines of its output if it does not end with 0; the signal's reason if it was aborted.
 */
export async function runProgram(source: ProgramSource): Promise<void> {
  const { command, signal, input, onLine } = source;
  signal.throwIfAborted();
  const child = spawn(command, source.arguments, {
    cwd: source.cwd,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH ?? '', LC_ALL: 'C.UTF-8', HOME: '/', ...source.environment },
    ...source.account.spawn,
  });
  const tail: string[] = [];
  const cutters = [child.stdout, child.stderr].map((stream) => {
    const cutter = new LineCutter();
    const take = (lines: readonly string[]) => {
      for (const line of lines) {
        tail.push(line);
        if (tail.length > TAIL_LINES) tail.shift();
        onLine?.(line);
      }
    };
    stream.setEncoding('utf8').on('data', (text: string) => take(cutter.push(text)));
    return () => take(cutter.end());
  });
  const kill = () => killGroup(child.pid);
  signal.addEventListener('abort', kill);
  // A program that does not read its input to the end is judged by its exit.
  child.stdin.on('error', () => undefined);
  if (typeof input === 'function') input(child.stdin);
  else child.stdin.end(input ?? '');
  try {
    const end = await new Promise<string | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, killedBy) =>
        resolve(code === 0 ? null : code === null ? `was killed by ${String(killedBy)}` : `ended with ${code}`),
      );
    });
    for (const finish of cutters) finish();
    signal.throwIfAborted();
    if (end !== null) throw new Error(`${command} ${end}: ${tail.join(' / ') || 'it said nothing'}`);
  } finally {
    signal.removeEventListener('abort', kill);
    kill();
  }
}
