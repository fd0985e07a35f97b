/**
 * The timeline in the name of a WAL file: its first eight hexadecimal digits.
 * @throws RangeError if it is no such name.
 */
export function timelineOfWalFile(name: string): number {
  const digits = /^([0-9A-F]{8})[0-9A-F]{16}$/.exec(name)?.[1];
  if (digits === undefined) throw new RangeError(`not the name of a WAL file: ${JSON.stringify(name)}`);
  return parseInt(digits, 16);
}
