import { accessSync, constants, createReadStream, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import type { Log } from '@ha-postgres/service-kit';

export type ScriptKind = 'execute' | 'source' | 'sql' | 'sqlGzip' | 'ignore';

/** How the official image's entrypoint treats a file: by its ending, a shell script also by its mode. */
export function scriptKind(name: string, isExecutable: boolean): ScriptKind {
  if (name.endsWith('.sh')) return isExecutable ? 'execute' : 'source';
  if (name.endsWith('.sql')) return 'sql';
  return name.endsWith('.sql.gz') ? 'sqlGzip' : 'ignore';
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** What scripts are run by. `run` ends with an error if the program does not end with 0. */
export interface ScriptRunner {
  readonly psql: readonly string[];
  readonly run: (command: string, arguments_: readonly string[], input?: (stdin: Writable) => void) => Promise<void>;
  readonly onScript: (name: string) => void;
  readonly log: Log;
}

function gunzipInto(path: string, failed: (error: unknown) => void): (stdin: Writable) => void {
  return (stdin) => void pipeline(createReadStream(path), createGunzip(), stdin).catch(failed);
}

async function runScript(path: string, kind: ScriptKind, runner: ScriptRunner): Promise<void> {
  const { psql, run } = runner;
  const [command = 'psql', ...options] = psql;
  switch (kind) {
    case 'execute':
      return run(path, []);
    case 'source':
      return run('bash', ['-c', 'set -e; . "$0"', path]);
    case 'sql':
      return run(command, [...options, '-f', path]);
    case 'sqlGzip': {
      let broken: unknown = null;
      await run(
        command,
        options,
        gunzipInto(path, (error) => (broken = error)),
      );
      // psql takes the end of a broken file for the end of the script.
      if (broken !== null) throw new Error(`${path} cannot be unpacked`, { cause: broken });
      return;
    }
    case 'ignore':
      runner.log.warn({ event: 'initialise.ignored', path }, 'not a script: ignored');
  }
}

/**
 * Runs the scripts of a directory in alphabetical order, as the official PostgreSQL image does.
 * @throws Error that names the script if one fails; none after it is run.
 */
export async function runInitScripts(directory: string, runner: ScriptRunner): Promise<void> {
  for (const name of readdirSync(directory).sort()) {
    const path = join(directory, name);
    runner.onScript(name);
    runner.log.info({ event: 'initialise.script', path }, `init script ${name}`);
    try {
      await runScript(path, scriptKind(name, isExecutable(path)), runner);
    } catch (cause) {
      throw new Error(`init script ${basename(path)}: ${cause instanceof Error ? cause.message : String(cause)}`, {
        cause,
      });
    }
  }
}
