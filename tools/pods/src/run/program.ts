import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly input?: string;
  /** It is killed after that, in milliseconds. */
  readonly timeoutMs?: number;
  readonly environment?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** Runs a program to its end, without blocking this process. @throws Error if it cannot be started */
export async function runProgram(program: string, args: readonly string[], running: Running = {}): Promise<Outcome> {
  const { input = '', timeoutMs = 120_000, environment = process.env, cwd } = running;
  const child = spawn(program, args, { env: environment, cwd, timeout: timeoutMs, killSignal: 'SIGKILL' });
  // It may end without having read all.
  child.stdin.on('error', () => undefined).end(input);
  const [stdout, stderr, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { status, stdout, stderr };
}

/** @throws Error with what it said, if it fails */
export async function mustRun(program: string, args: readonly string[], running: Running = {}): Promise<string> {
  const { status, stdout, stderr } = await runProgram(program, args, running);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.trim()}\n${running.input ?? ''}`.trim());
  return stdout.trim();
}
