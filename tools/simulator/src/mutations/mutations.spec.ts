import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MUTATIONS } from '.';
import { NOT_FOUND } from './not-found';

const root = dirname(dirname(dirname(dirname(__dirname))));

const ALL = [...MUTATIONS, ...NOT_FOUND];

describe('each mistake of the list', () => {
  it.each(ALL.map(({ name, edits }) => [name, edits] as const))('"%s" has its place in the source', (_, edits) => {
    for (const { file, find, replace } of edits) {
      expect(readFileSync(join(root, file), 'utf8').split(find).length - 1).toBe(1);
      expect(replace).not.toBe(find);
    }
  });

  it('has a name of its own', () => {
    expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
  });
});
