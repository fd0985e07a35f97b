import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeEnterable } from './enterable';

describe('a work directory for PostgreSQL under another user', () => {
  let outer: string;
  beforeEach(() => (outer = mkdtempSync(join(tmpdir(), 'hapg-enter-'))));
  afterEach(() => rmSync(outer, { recursive: true }));

  it('is opened for passing through, and not for listing', () => {
    makeEnterable(outer);
    expect(statSync(outer).mode & 0o777).toBe(0o711);
  });

  it('is refused below a closed directory, which is named', () => {
    const inner = join(outer, 'inner');
    mkdirSync(inner);
    expect(() => makeEnterable(inner)).toThrow(`may not enter ${outer}`);
  });

  it('is left as it is where it is open already', () => {
    chmodSync(outer, 0o755);
    makeEnterable(outer);
    expect(statSync(outer).mode & 0o777).toBe(0o755);
  });
});
