/// <reference types="node" />
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';

describe('the example', () => {
  it('takes a lock that was released', () => {
    const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    jest.requireActual('../example/decide-once');
    const told = write.mock.calls.map(([text]) => String(text)).join('');
    write.mockRestore();
    const acquire = '[{"type":"acquire","term":5,"decidedOn":812,"takeOver":false}]';
    expect(told).toBe(`candidateTakesAFreeLock: Replica, ${acquire}\n`);
  });

  it('is the one in the README', () => {
    const read = (...path: string[]) => readFileSync(join(__dirname, '..', ...path), 'utf8');
    expect(read('README.md')).toContain(`\`\`\`ts\n${read('example', 'decide-once.ts')}\`\`\``);
  });
});
