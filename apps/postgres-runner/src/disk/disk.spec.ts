import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@ha-postgres/service-kit';
import { parseControlFile } from './control-file';
import { inspect, type Expectation } from './inspect';
import { RunnerState, type Marks } from './runner-state';

let root: string;
let dataDir: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'hapg-disk-'));
  dataDir = join(root, 'data');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const uid = process.getuid?.() ?? 0;
const EXPECTED: Expectation = { major: 15, uid, systemId: null };
const NO_MARKS: Marks = { mark: null, systemId: null, rejoin: null, divergence: null };

function control(change: { state?: number; version?: number } = {}): Buffer {
  const bytes = Buffer.alloc(8_192);
  bytes.writeBigUInt64LE(7_456_789_012_345_678_901n, 0);
  bytes.writeUInt32LE(change.version ?? 1300, 8);
  bytes.writeUInt32LE(change.state ?? 1, 16);
  bytes.writeBigUInt64LE(0x16_b374d848n, 32);
  bytes.writeUInt32LE(3, 48);
  return bytes;
}

function makeData(version = '15', bytes = control()): void {
  mkdirSync(join(dataDir, 'global'), { recursive: true });
  chmodSync(dataDir, 0o700);
  writeFileSync(join(dataDir, 'PG_VERSION'), `${version}\n`);
  writeFileSync(join(dataDir, 'global', 'pg_control'), bytes);
}

describe('the control file', () => {
  test('tells identity, state, timeline and checkpoint', () => {
    expect(parseControlFile(control())).toEqual({
      systemId: '7456789012345678901',
      inProduction: false,
      cleanShutdown: true,
      timeline: 3,
      checkpointLsn: '16/B374D848',
    });
    expect(parseControlFile(control({ state: 6 }))).toMatchObject({ inProduction: true, cleanShutdown: false });
    expect(parseControlFile(control({ state: 5 }))).toMatchObject({ inProduction: false, cleanShutdown: false });
    // Shut down in recovery: the latest checkpoint is not the end of its WAL.
    expect(parseControlFile(control({ state: 2 }))).toMatchObject({ inProduction: false, cleanShutdown: false });
  });

  test.each([
    [Buffer.alloc(10), 'only 10 bytes'],
    [control({ version: 903 }), 'version 903'],
    [control({ state: 7 }), 'state 7'],
  ])('that cannot be one is refused (%#)', (bytes, why) => {
    expect(() => parseControlFile(bytes)).toThrow(why);
  });
});

describe('a data directory', () => {
  const problemOf = (marks: Marks = NO_MARKS, expected = EXPECTED) => inspect(dataDir, marks, expected).problem?.code;

  test('that is missing, empty, or an empty volume is empty', () => {
    expect(inspect(dataDir, NO_MARKS, EXPECTED).state).toBe('empty');
    mkdirSync(join(dataDir, 'lost+found'), { recursive: true });
    expect(inspect(dataDir, NO_MARKS, EXPECTED)).toMatchObject({ state: 'empty', problem: null });
  });

  test('with a control file is initialised, and fresh by its mark only', () => {
    makeData();
    const known = { state: 'initialised', fresh: false, problem: null, timeline: 3, cleanShutdown: true };
    expect(inspect(dataDir, NO_MARKS, EXPECTED)).toMatchObject(known);
    expect(inspect(dataDir, { ...NO_MARKS, mark: 'fresh' }, EXPECTED).fresh).toBe(true);
    expect(inspect(dataDir, { ...NO_MARKS, mark: 'unfinished' }, EXPECTED).state).toBe('unfinished');
  });

  test('that is half replaced is not started on, whatever is in it', () => {
    makeData();
    const half = { ...NO_MARKS, rejoin: { term: 2, stage: 'unfinished' as const } };
    expect(inspect(dataDir, half, EXPECTED)).toMatchObject({ state: 'unusable' });
    expect(problemOf(half)).toBe('HAPG_DATA_HALF_REPLACED');
    expect(problemOf({ ...NO_MARKS, rejoin: { term: 2, stage: 'rewound' } })).toBeUndefined();
  });

  test('of another cluster is refused, by option or by what the node was a member of', () => {
    makeData();
    expect(problemOf({ ...NO_MARKS, systemId: '1' })).toBe('HAPG_DATA_FOREIGN');
    expect(problemOf(NO_MARKS, { ...EXPECTED, systemId: '1' })).toBe('HAPG_DATA_FOREIGN');
    expect(problemOf({ ...NO_MARKS, systemId: '7456789012345678901' })).toBeUndefined();
  });

  test('of another version, owner or mode, or unreadable, is refused each with its own code', () => {
    makeData('16');
    expect(problemOf()).toBe('HAPG_DATA_NEWER');
    makeData('14');
    expect(problemOf()).toBe('HAPG_DATA_OLDER');
    makeData();
    expect(problemOf(NO_MARKS, { ...EXPECTED, uid: uid + 1 })).toBe('HAPG_DATA_OWNER');
    chmodSync(dataDir, 0o755);
    expect(problemOf()).toBe('HAPG_DATA_PERMISSIONS');
    chmodSync(dataDir, 0o750);
    expect(problemOf()).toBeUndefined();
    makeData('15', Buffer.alloc(8_192));
    expect(inspect(dataDir, NO_MARKS, EXPECTED)).toMatchObject({
      state: 'unusable',
      problem: { code: 'HAPG_DATA_UNREADABLE' },
    });
    makeData('fifteen');
    expect(problemOf()).toBe('HAPG_DATA_UNREADABLE');
  });
});

describe('the state file', () => {
  test('keeps its marks over a restart', () => {
    new RunnerState(root, 'a', dataDir, silentLog).update({ mark: 'fresh', systemId: '5' });
    const again = new RunnerState(root, 'a', dataDir, silentLog);
    expect(again.marks).toEqual({ mark: 'fresh', systemId: '5', rejoin: null, divergence: null });
  });

  test('of a version that knew no rejoining is taken as it is', () => {
    const stored = { node: 'a', dataDir, bootId: 'b', mark: null, systemId: '5', recloned: true };
    writeFileSync(join(root, 'runner.json'), JSON.stringify(stored));
    expect(new RunnerState(root, 'a', dataDir, silentLog).marks).toEqual({ ...NO_MARKS, systemId: '5' });
  });

  test('of another node or another data directory is ignored', () => {
    new RunnerState(root, 'a', dataDir, silentLog).update({ mark: 'unfinished' });
    expect(new RunnerState(root, 'b', dataDir, silentLog).marks).toEqual(NO_MARKS);
    expect(new RunnerState(root, 'a', join(root, 'other'), silentLog).marks).toEqual(NO_MARKS);
  });

  test('that cannot be read is an error, not nothing', () => {
    writeFileSync(join(root, 'runner.json'), '{"mark": "fre');
    expect(() => new RunnerState(root, 'a', dataDir, silentLog)).toThrow(/state file/);
  });
});
