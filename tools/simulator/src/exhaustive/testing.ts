import { CONFIGURATIONS } from './configurations';
import type { Configuration } from './configuration';

/** For tests: what is known to be there. @throws Error if it is not */
export function must<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('it is not there');
  return value;
}

/** Two nodes, and all that may happen to them. */
export const ONE: Configuration = must(CONFIGURATIONS[0]);
