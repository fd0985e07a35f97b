import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MUTATIONS } from '.';

const root = dirname(dirname(dirname(dirname(__dirname))));

describe('each mistake of the list', () => {
  it.each(MUTATIONS.map(({ name, edits }) => [name, edits] as const))(
    '"%s" has its place in the source',
    (_, edits) => {
      for (const { file, find, replace } of edits) {
        expect(readFileSync(join(root, file), 'utf8').split(find).length - 1).toBe(1);
        expect(replace).not.toBe(find);
      }
    },
  );

  it('has a name of its own', () => {
    expect(new Set(MUTATIONS.map(({ name }) => name)).size).toBe(MUTATIONS.length);
  });
});
