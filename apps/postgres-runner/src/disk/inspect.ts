import { readdirSync, readFileSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import type { DataDirectory } from '@ha-postgres/cluster-state';
import { messageOf } from '@ha-postgres/service-kit';
import type { Problem } from '../core/facts';
import type { RunnerErrorCode } from '../errors';
import { readControlFile, type ControlFile } from './control-file';
import type { Marks } from './runner-state';
import { timelinePath } from './timeline-path';

/** What a data directory is measured against. */
export interface Expectation {
  /** Major version of the installed binaries. */
  readonly major: number;
  /** Account that PostgreSQL runs as. */
  readonly uid: number;
  /** From the configuration; the marks may know another. */
  readonly systemId: string | null;
}

export interface Inspected extends DataDirectory {
  /** Why PostgreSQL must not be started on it. */
  readonly problem: Problem | null;
}

const NOTHING = {
  systemId: null,
  fresh: false,
  timeline: null,
  cleanShutdown: false,
  checkpointLsn: null,
  problem: null,
} as const;

/** A file system's own entry: an empty volume has it. */
const isIgnored = (name: string): boolean => name === 'lost+found';

function entriesOf(dataDir: string): string[] {
  try {
    return readdirSync(dataDir).filter((name) => !isIgnored(name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

function unusable(code: RunnerErrorCode, message: string): Inspected {
  return { ...NOTHING, state: 'unusable', problem: { code, message } };
}

function accessProblem(dataDir: string, { uid, mode }: Stats, expected: Expectation): Problem | null {
  if (uid !== expected.uid) {
    const message = `${dataDir} belongs to uid ${uid}, PostgreSQL runs as uid ${expected.uid}`;
    return { code: 'HAPG_DATA_OWNER', message };
  }
  const permissions = mode & 0o777;
  if (permissions === 0o700 || permissions === 0o750) return null;
  const message = `${dataDir} has mode 0${permissions.toString(8)}, neither 0700 nor 0750`;
  return { code: 'HAPG_DATA_PERMISSIONS', message };
}

function versionProblem(dataDir: string, expected: Expectation): Problem | null {
  const text = readFileSync(join(dataDir, 'PG_VERSION'), 'utf8').trim();
  if (!/^\d+$/.test(text)) throw new RangeError(`PG_VERSION says ${JSON.stringify(text)}`);
  const message = `${dataDir} is of PostgreSQL ${text}, installed is ${expected.major}`;
  if (Number(text) > expected.major) return { code: 'HAPG_DATA_NEWER', message };
  return Number(text) < expected.major ? { code: 'HAPG_DATA_OLDER', message } : null;
}

function identityProblem(dataDir: string, control: ControlFile, marks: Marks, expected: Expectation): Problem | null {
  const systemId = expected.systemId ?? marks.systemId;
  // A cluster that was just made here is nobody's yet.
  if (systemId === null || marks.mark === 'fresh' || control.systemId === systemId) return null;
  const message = `${dataDir} has system identifier ${control.systemId}, the cluster's is ${systemId}`;
  return { code: 'HAPG_DATA_FOREIGN', message };
}

/** Looks at what lies in a data directory. It never throws: what cannot be read is *unusable*, with the reason. */
export function inspect(dataDir: string, marks: Marks, expected: Expectation): Inspected {
  try {
    if (entriesOf(dataDir).length === 0) return { ...NOTHING, state: 'empty' };
    if (marks.mark === 'unfinished') return { ...NOTHING, state: 'unfinished' };
    if (marks.rejoin?.stage === 'unfinished') {
      return unusable('HAPG_DATA_HALF_REPLACED', `${dataDir} was being made to follow another Master when that ended`);
    }
    const access = accessProblem(dataDir, statSync(dataDir), expected);
    if (access !== null) return { ...NOTHING, state: 'unusable', problem: access };
    const version = versionProblem(dataDir, expected);
    const control = readControlFile(dataDir);
    const { systemId, timeline, cleanShutdown, checkpointLsn } = control;
    return {
      state: 'initialised',
      systemId,
      timeline,
      cleanShutdown,
      checkpointLsn,
      timelines: timelinePath(dataDir),
      fresh: marks.mark === 'fresh',
      problem: version ?? identityProblem(dataDir, control, marks, expected),
    };
  } catch (error) {
    return unusable('HAPG_DATA_UNREADABLE', `${dataDir}: ${messageOf(error)}`);
  }
}

/** The data of a PostgreSQL that runs: it was inspected before it was started. */
export function runningData({ systemId, timeline, cleanShutdown, checkpointLsn }: ControlFile): Inspected {
  return { state: 'initialised', systemId, fresh: false, timeline, cleanShutdown, checkpointLsn, problem: null };
}
