import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Seeds that found each mutation before, the last of them first: they are tried first, and most often find it again. Nothing depends
 * on them: where none of them does any more, the default seeds are searched from the first on.
 */
export type CaughtBy = Readonly<Record<string, readonly number[]>>;

/** So many for each; code that changes makes them stale one by one. */
const KEPT = 5;

const fileIn = (root: string): string => join(root, 'tools/simulator/src/mutations/caught-by.json');

export function readCaughtBy(root: string): CaughtBy {
  return JSON.parse(readFileSync(fileIn(root), 'utf8')) as CaughtBy;
}

export function writeCaughtBy(root: string, all: CaughtBy): void {
  const lines = Object.entries(all).map(([name, seeds]) => `  ${JSON.stringify(name)}: [${seeds.join(', ')}]`);
  writeFileSync(fileIn(root), `{\n${lines.join(',\n')}\n}\n`);
}

/** With a seed that has found this mutation; those of mutations that are gone are forgotten. */
export function remembered(before: CaughtBy, found: ReadonlyMap<string, number>, names: readonly string[]): CaughtBy {
  const seedsOf = (name: string): number[] => {
    const seed = found.get(name);
    const others = (before[name] ?? []).filter((one) => one !== seed);
    return (seed === undefined ? others : [seed, ...others]).slice(0, KEPT);
  };
  return Object.fromEntries(
    names.map((name) => [name, seedsOf(name)] as const).filter(([, seeds]) => seeds.length > 0),
  );
}
