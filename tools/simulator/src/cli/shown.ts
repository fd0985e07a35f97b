import { INVARIANTS } from '../check/invariants';
import type { BatchReport } from '../check/report';
import type { Shown } from './report-file';

/** Each invariant, and whether nothing broke it; whatever else went wrong is one more. */
export function invariantsShown({ violations }: Pick<BatchReport, 'violations'>): readonly Shown[] {
  const broken = new Set(violations.map(({ violation }) => violation?.invariant ?? 'unknown'));
  return [...new Set([...Object.values(INVARIANTS), ...broken])].map((what) => ({ what, isShown: !broken.has(what) }));
}
