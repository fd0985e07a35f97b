import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MutationMisplaced, mutated } from '../cli/bundle';
import { CONFIGURATIONS } from './configurations';
import { LEASE_MUTATIONS } from './mutations';

const root = join(__dirname, '..', '..', '..', '..');

test.each(LEASE_MUTATIONS.map((mutation) => [mutation.name, mutation] as const))(
  '%s: its text stands in the source once, and some exploration is to find it',
  (name, { configuration, edits }) => {
    expect(CONFIGURATIONS.map((one) => one.name)).toContain(configuration);
    for (const edit of edits) {
      const text = readFileSync(join(root, edit.file), 'utf8');
      expect(mutated(name, text, edit)).not.toBe(text);
    }
  },
);

test('a mutation whose text is not there, or there twice, is refused', () => {
  const edit = { file: 'f.ts', find: 'a', replace: 'b' };
  expect(mutated('m', 'xax', edit)).toBe('xbx');
  expect(() => mutated('m', 'x', edit)).toThrow(MutationMisplaced);
  expect(() => mutated('m', 'aa', edit)).toThrow('2 times in f.ts');
});
