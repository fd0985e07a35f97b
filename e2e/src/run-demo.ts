import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { onPath, WORKSPACE_ROOT } from '@ha-postgres/local-cluster';

const DEMO = join(WORKSPACE_ROOT, 'tools', 'local-cluster', 'dist', 'demo.js');
const TINI = onPath('tini');
const LIMIT_MS = 100_000;

export interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the demo as its users do, under tini, and collects what it prints. */
export function runDemo(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const under = existsSync(TINI) ? [TINI, '-s', '--'] : [];
  const [command = process.execPath, ...rest] = [...under, process.execPath, DEMO, ...args];
  const env = { ...process.env, ...environment };
  const child = spawn(command, rest, { cwd: '/', env, stdio: ['ignore', 'pipe', 'pipe'] });
  // Well below jest's own limit, so that the demo ends in order and its output is shown.
  const limit = setTimeout(() => child.kill('SIGTERM'), LIMIT_MS);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) =>
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve({ code, output });
    }),
  );
}
