/** The rows that continuous integration tests each time, or all of them: `FAULTS=all`. */
export type Half = 'quick' | 'long';

/** Whether a row of this half is to be run now. */
export function isChosen(half: Half, environment: NodeJS.ProcessEnv = process.env): boolean {
  return half === 'quick' || isAll(environment);
}

/** How often a row is run: in the long run so often that a median says something. */
export function runsOf(inAll: number, environment: NodeJS.ProcessEnv = process.env): number {
  return isAll(environment) ? inAll : 1;
}

/** @throws RangeError if the variable holds anything else. */
function isAll({ FAULTS: which = 'quick' }: NodeJS.ProcessEnv): boolean {
  if (which !== 'quick' && which !== 'all') throw new RangeError(`FAULTS=${which}: quick or all`);
  return which === 'all';
}
