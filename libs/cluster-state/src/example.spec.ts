/// <reference types="node" />
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';

describe('the example', () => {
  it('reads a Master, and says why there is none in what cannot be read', () => {
    const write = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
    jest.requireActual('../example/read-master');
    const told = write.mock.calls.map(([text]) => String(text)).join('');
    write.mockRestore();
    expect(told).toContain('service/postgres/master: ha-postgres-2 (slot 2) at 10.0.0.7:5432\n');
    expect(told).toContain('service/postgres/master: nobody: master must have required property');
  });

  it('is the one in the README', () => {
    const read = (...path: string[]) => readFileSync(join(__dirname, '..', ...path), 'utf8');
    expect(read('README.md')).toContain(`\`\`\`ts\n${read('example', 'read-master.ts')}\`\`\``);
  });
});
