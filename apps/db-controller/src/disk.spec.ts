import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { bootId, codeOf, monotonicNow } from '@ha-postgres/service-kit';
import { LogLines } from '../test/fixture/world';
import { Disk, type Stored } from './disk';
import { thisMachine } from './machine';
import { fileStateStore } from './state-store';

describe('what a node must not forget', () => {
  const directory = mkdtempSync(join(tmpdir(), 'disk-'));
  const file = join(directory, 'controller.json');
  const log = new LogLines();
  const open = (node = 'b') => new Disk(fileStateStore(file), node, 3300, thisMachine(), log.log);
  const onDisk = () => JSON.parse(readFileSync(file, 'utf8')) as Stored;
  const rewrite = (change: Partial<Stored>) => writeFileSync(file, JSON.stringify({ ...onDisk(), ...change }));

  beforeEach(() => rmSync(file, { force: true }));
  afterAll(() => rmSync(directory, { recursive: true }));

  it('is empty at first, and nothing is written for it', () => {
    expect(open().record).toEqual({
      highestTerm: 0,
      highestTermNode: null,
      highestModifyIndex: 0,
      epoch: 0,
      switchover: null,
      cleanStop: null,
      dataTerm: 0,
      ledTerm: null,
      led: [],
      deadMaster: false,
      rejoining: null,
      promisedUntil: Number.NEGATIVE_INFINITY,
      highestSyncVersion: 0,
      admittedTerm: null,
    });
    expect(() => onDisk()).toThrow('ENOENT');
  });

  it('is there again in the next process, and on disk when the call returns', () => {
    const disk = open();
    disk.update({ dataTerm: 5, ledTerm: 4, deadMaster: true, votedTerm: 7 });
    expect(onDisk()).toMatchObject({ node: 'b', dataTerm: 5, ledTerm: 4, deadMaster: true, votedTerm: 7 });
    expect(open().record).toMatchObject({ dataTerm: 5, ledTerm: 4, deadMaster: true });
    expect(open().votedTerm).toBe(7);
  });

  it('holds who had the highest term, for as long as no higher one is seen', () => {
    const disk = open();
    disk.saw(6, 100);
    expect(disk.record.highestTermNode).toBeNull();
    disk.saw(6, 101, 'a');
    disk.saw(6, 102, 'c');
    expect(open().record).toMatchObject({ highestTerm: 6, highestTermNode: 'a' });
    disk.saw(7, 103, 'c');
    expect(open().record).toMatchObject({ highestTerm: 7, highestTermNode: 'c' });
  });

  it('counts indexes anew from an epoch that is new to it, and keeps terms and promises', () => {
    const disk = open();
    disk.saw(6, 9000, 'a');
    disk.promise(monotonicNow() + 1000);
    expect(disk.sawEpoch(1, 60)).toBe(true);
    expect(open().record).toMatchObject({ epoch: 1, highestTerm: 6, highestModifyIndex: 60 });
    expect(open().record.promisedUntil).toBeGreaterThan(monotonicNow());
    expect(disk.sawEpoch(1, 90)).toBe(false);
    expect(disk.sawEpoch(0, 10)).toBe(false);
    expect(disk.record.highestModifyIndex).toBe(60);
  });

  it('keeps the list of members when Consul has forgotten it: an emptied list is no news', () => {
    const members = [{ node: 'a', host: 'a.local', port: 5432, apiPort: 8080 }];
    const disk = open();
    disk.sawMembers(members);
    disk.sawMembers([]);
    expect(open().knownMembers).toEqual(members);
  });

  it('of another node is ignored, and said so', () => {
    open('a').update({ dataTerm: 5, votedTerm: 9 });
    expect(open('b').record.dataTerm).toBe(0);
    expect(open('b').votedTerm).toBe(0);
    expect(log.of('disk.foreign')[0]).toMatchObject({ found: 'a', level: 'warn' });
  });

  it.each(['{"node":"b","highestTe', ''])(
    'that cannot be read (%j) stops the start with the name of the file',
    (text) => {
      writeFileSync(file, text);
      expect(() => open()).toThrow(file);
      expect(codeOf(thrownBy(open))).toBe('HAPG_STATE_FILE_UNREADABLE');
    },
  );

  it.each(['[]', '7', '{}', '{"node":"b"}', '{"node":"b","highestTerm":"7"}'])(
    'that is JSON but no state (%s) is not taken for foreign or empty: that would undo promises',
    (text) => {
      writeFileSync(file, text);
      expect(codeOf(thrownBy(open))).toBe('HAPG_STATE_INVALID');
      expect(() => open()).toThrow(file);
    },
  );

  it('keeps a promise over a restart within one boot to the same moment', () => {
    const until = monotonicNow() + 3300;
    open().promise(until);
    expect(open().record.promisedUntil).toBe(until);
  });

  it('counts a promise anew after a reboot: the clock that it was given by is gone', () => {
    open().promise(monotonicNow() + 3300);
    rewrite({ promise: { bootId: 'another boot', until: 5 } });
    const before = monotonicNow();
    const { promisedUntil } = open().record;
    expect(promisedUntil).toBeGreaterThanOrEqual(before + 3300);
    expect(promisedUntil).toBeLessThanOrEqual(monotonicNow() + 3300);
  });

  it('names the boot of a promise', () => {
    open().promise(1);
    expect(onDisk().promise).toEqual({ bootId: bootId(), until: 1 });
  });

  it('remembers the highest index of this process exactly, and of the last one within 200', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20), fc.nat(5000)), { minLength: 1 }), (sights) => {
        rmSync(file, { force: true });
        const disk = open();
        for (const [term, index] of sights) disk.saw(term, index);
        const highest = Math.max(...sights.map(([, index]) => index));
        const term = Math.max(...sights.map(([one]) => one));
        expect(disk.record).toMatchObject({ highestModifyIndex: highest, highestTerm: term });
        const again = open().record;
        expect(again.highestTerm).toBe(term);
        expect(again.highestModifyIndex).toBeGreaterThan(highest - 200);
        expect(again.highestModifyIndex).toBeLessThanOrEqual(highest);
      }),
      { numRuns: 50 },
    );
  });

  it('does not write where nothing changes', () => {
    const disk = open();
    disk.update({ dataTerm: 5 });
    rmSync(file);
    disk.update({ dataTerm: 5 });
    disk.saw(0, 1);
    expect(() => onDisk()).toThrow('ENOENT');
  });
});

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
