/** What a command is about: a member of the cluster, or one of its processes. */
export interface Target {
  readonly member: string;
  readonly process?: string;
}

/**
 * Reads `NODE` or `NODE/PROCESS`.
 * @throws RangeError if it is neither; the message names it.
 */
export function parseTarget(text: string): Target {
  const [member, process, ...rest] = text.split('/');
  if (member === undefined || member === '' || process === '' || rest.length > 0) {
    throw new RangeError(`${JSON.stringify(text)}: give NODE or NODE/PROCESS, as in node0 or node0/postgres`);
  }
  return process === undefined ? { member } : { member, process };
}
