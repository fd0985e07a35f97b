const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'] as const;

/** As PostgreSQL's `pg_size_pretty`: a number that a person can compare. */
export function bytesText(bytes: number): string {
  let size = bytes;
  let unit = 0;
  while (size >= 10_240 && unit < UNITS.length - 1) {
    size /= 1024;
    unit += 1;
  }
  return `${Math.round(size)} ${UNITS[unit] ?? ''}`;
}
