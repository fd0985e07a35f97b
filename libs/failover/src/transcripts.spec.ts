/// <reference types="node" />
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { RULE_NAMES } from './decide';
import { replay } from './testing/transcript';

const FOLDER = join(__dirname, '..', 'transcripts');
/** `REWRITE_TRANSCRIPTS=1 npx jest transcripts`; a change is committed only if it can be explained. */
const REWRITE = process.env.REWRITE_TRANSCRIPTS === '1';

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

describe('transcripts', () => {
  it.each(files)('%s: decided as written', (file) => {
    const path = join(FOLDER, file);
    const written = readFileSync(path, 'utf8');
    const { text } = replay(written);
    if (REWRITE) writeFileSync(path, text);
    else expect(text).toBe(written);
  });

  it('show every rule at least once, so that each can be reviewed in a story', () => {
    const shown = new Set(files.flatMap((file) => [...replay(readFileSync(join(FOLDER, file), 'utf8')).rules]));
    expect(RULE_NAMES.filter((rule) => !shown.has(rule))).toEqual([]);
  });

  it('are told without a decision that does not follow from them', () => {
    expect(() => replay('no-such-command')).toThrow('no such command: no-such-command');
    expect(() => replay('flags pausd')).toThrow('not understood: pausd');
  });
});
