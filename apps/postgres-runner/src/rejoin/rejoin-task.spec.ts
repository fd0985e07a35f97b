import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RejoinInstruction } from '@ha-postgres/cluster-state';
import { silentLog } from '@ha-postgres/service-kit';
import { RunnerState } from '../disk/runner-state';
import type { TaskTools } from '../tasks';
import { rejoin } from './rejoin-task';

const SEGMENT_BYTES = 1024 * 1024;
const SEGMENT = '000000010000000000000010';
const WANTED: RejoinInstruction = {
  kind: 'rejoin',
  upstream: { node: 'c', host: 'c', port: 5432, apiPort: 1, term: 6 },
  how: 'examine',
  dataTerm: 5,
  forkLsn: '0/1000080',
  leftTimeline: 1,
  timelines: [2],
  mayLose: true,
  why: 'test',
};

const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

it('WAL that is given up is kept once, however often the rest of it fails, and what was kept before stays', async () => {
  const { directory, dataDir, tools } = divergedNode(['1', '2', '3']);
  const kept = () => readdirSync(directory).filter((name) => name.includes('diverged'));
  for (let attempt = 1; attempt <= 4; attempt += 1) {
    await expect(rejoin(WANTED, tools, new AbortController().signal)).rejects.toThrow('c does not say of which term');
  }
  expect(kept().sort()).toEqual(['2', '3', '4'].map((number) => `data.diverged-wal-${number}`));
  expect(readFileSync(`${dataDir}.diverged-wal-2/report.json`, 'utf8')).toBe('2');
  expect(readdirSync(`${dataDir}.diverged-wal-4`)).toContain(SEGMENT);
  expect(tools.state.marks.divergence).toMatchObject({ commits: 1, keptAt: `${dataDir}.diverged-wal-4` });
});

/** One with a commit of its own, whose Master does not answer; WAL of earlier divergences was kept under these numbers. */
function divergedNode(keptBefore: readonly string[]): { directory: string; dataDir: string; tools: TaskTools } {
  const directory = mkdtempSync(join(tmpdir(), 'rejoin-task-'));
  directories.push(directory);
  const dataDir = join(directory, 'data');
  const bin = join(directory, 'bin');
  for (const path of [dataDir, join(dataDir, 'pg_wal'), join(dataDir, 'global'), bin, join(directory, 'state')]) {
    mkdirSync(path, { mode: 0o700 });
  }
  for (const number of keptBefore) {
    mkdirSync(`${dataDir}.diverged-wal-${number}`);
    writeFileSync(`${dataDir}.diverged-wal-${number}/report.json`, number);
  }
  writeFileSync(join(dataDir, 'global/pg_control'), control());
  writeFileSync(join(dataDir, `pg_wal/${SEGMENT}`), firstPage());
  command(bin, 'pg_waldump', `cat <<'END'\n${WAL.join('\n')}\nEND`);
  const account = { own: () => undefined, uid: process.getuid?.() ?? 0, spawn: {} };
  const files = { writeStatic: () => undefined, writeConfig: () => undefined, rewindConninfo: () => 'host=c' };
  const tools = {
    config: { node: 'b', socketDir: '', port: 5432 },
    dataDir,
    binaries: { dir: bin, major: 15 },
    account,
    files,
    state: new RunnerState(join(directory, 'state'), 'b', dataDir, silentLog),
    log: silentLog,
    freeBytes: () => Number.MAX_SAFE_INTEGER,
    onProgress: () => undefined,
  };
  return { directory, dataDir, tools: tools as unknown as TaskTools };
}

const record = (lsn: string, xid: number, manager: string, what: string) =>
  `rmgr: ${manager.padEnd(11)} len (rec/tot):     50/    50, tx: ${xid}, lsn: ${lsn}, prev 0/01000028, desc: ${what}`;
const WAL = [
  record('0/01000028', 0, 'XLOG', 'CHECKPOINT_ONLINE redo 0/1000028'),
  record('0/01000100', 700, 'Heap', 'INSERT off 1 flags 0x08, blkref #0: rel 1663/16384/16385 blk 0'),
  record('0/01000200', 700, 'Transaction', 'COMMIT 2026-01-01 00:00:00.000000 UTC'),
];

/** The fields of PostgreSQL 15's control file that are read: system identifier, versions, state, checkpoint, timeline. */
function control(): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.writeBigUInt64LE(7_000_000_000_000_000_001n, 0);
  bytes.writeUInt32LE(1300, 8);
  bytes.writeUInt32LE(6, 16);
  bytes.writeBigUInt64LE(0x1000028n, 32);
  bytes.writeUInt32LE(1, 48);
  return bytes;
}

/** The long header of a segment's first page tells the size of segments. */
function firstPage(): Buffer {
  const bytes = Buffer.alloc(SEGMENT_BYTES);
  bytes.writeUInt16LE(0xd110, 0);
  bytes.writeUInt16LE(2, 2);
  bytes.writeBigUInt64LE(0x1000000n, 8);
  bytes.writeUInt32LE(SEGMENT_BYTES, 32);
  return bytes;
}

function command(bin: string, name: string, script: string): void {
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
}
