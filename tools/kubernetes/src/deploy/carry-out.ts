import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { commandLine } from './command-line';
import { archiveIn, type Step } from './steps';

/** A step that failed: the message names it, its command, and where to look. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed';
}

/** Runs one command after the other, in the root of the workspace. @throws StepFailed at the first that fails */
export function carryOut(steps: readonly Step[], root: string, say: (line: string) => void): void {
  const archive = archiveIn(root);
  mkdirSync(dirname(archive), { recursive: true });
  try {
    for (const step of steps) {
      say(`> ${commandLine(step)}`);
      runStep(step, root);
    }
  } finally {
    rmSync(archive, { force: true });
  }
}

function runStep(step: Step, root: string): void {
  const { status, signal, error } = spawnSync(step.program, step.args, {
    cwd: root,
    env: { ...process.env, ...step.environment },
    stdio: ['ignore', step.isQuiet === true ? 'ignore' : 'inherit', 'inherit'],
  });
  if (status === 0) return;
  const why = error?.message ?? signal ?? `exit ${status ?? '?'}`;
  const hint = step.hint === undefined ? '' : `\n  ${step.hint}`;
  throw new StepFailed(`could not ${step.what} (${why}): ${commandLine(step)}${hint}`);
}
