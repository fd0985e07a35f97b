import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readStateFile, writeStateFile } from './state-file';

describe('a state file', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'state-file-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it('is null before the first write and then what was written last', () => {
    const path = join(directory, 'state.json');
    expect(readStateFile(path)).toBeNull();
    writeStateFile(path, { term: 1 });
    writeStateFile(path, { term: 2, why: 'ümlaut' });
    expect(readStateFile(path)).toEqual({ term: 2, why: 'ümlaut' });
    expect(readdirSync(directory)).toEqual(['state.json']);
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  it('keeps the old value when a write was cut off, and the next write mends it', () => {
    const path = join(directory, 'state.json');
    writeStateFile(path, { term: 1 });
    writeFileSync(`${path}.new`, '{"term":');
    expect(readStateFile(path)).toEqual({ term: 1 });
    writeStateFile(path, { term: 2 });
    expect(readStateFile(path)).toEqual({ term: 2 });
  });

  it('keeps the old value when the new one cannot be written', () => {
    const path = join(directory, 'state.json');
    writeStateFile(path, { term: 1 });
    expect(() => writeStateFile(path, { term: 1n })).toThrow(TypeError);
    expect(readStateFile(path)).toEqual({ term: 1 });
    expect(() => writeStateFile(join(directory, 'missing', 'state.json'), {})).toThrow('ENOENT');
  });

  it.each(['', '{"term":', 'nonsense'])('that holds %j is an error which names it, never an empty state', (text) => {
    const path = join(directory, 'state.json');
    writeFileSync(path, text);
    expect(() => readStateFile(path)).toThrow(path);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
});
