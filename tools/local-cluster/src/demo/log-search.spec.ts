import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstTime, readLogLines } from './log-search';

const at = (seconds: number) => `2026-01-01T00:00:0${seconds}.000Z`;

describe('a search in the services’ logs', () => {
  let directory: string;
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'hapg-logs-'))));
  afterEach(() => rmSync(directory, { recursive: true }));

  it('finds the first matching event after the fault, past what is no event', () => {
    const file = join(directory, 'node0.log');
    const lines = [
      JSON.stringify({ time: at(1), event: 'a' }),
      'node: some warning',
      JSON.stringify({ time: at(2), event: 'b' }),
      JSON.stringify({ time: at(3), event: 'a' }),
      '{"time":"cut o',
    ];
    writeFileSync(file, lines.join('\n'));
    const since = Date.parse(at(2));
    expect(firstTime(readLogLines(file), since, ({ event }) => event === 'a')).toBe(Date.parse(at(3)));
    expect(firstTime(readLogLines(file), since, ({ event }) => event === 'c')).toBeNull();
  });

  it('finds nothing where there is no log', () => {
    expect(readLogLines(join(directory, 'none.log'))).toEqual([]);
  });
});
