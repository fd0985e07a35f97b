/** A value of libpq's connection string, after its rules: in quotes, with `'` and `\` escaped by `\`. */
export function conninfoValue(value: string): string {
  return `'${value.replaceAll(/['\\]/g, (character) => `\\${character}`)}'`;
}

/** A connection string of the given settings, in their order. */
export function conninfo(settings: Readonly<Record<string, string | number>>): string {
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${conninfoValue(String(value))}`)
    .join(' ');
}

/** A value in postgresql.conf, where `\` begins an escape inside quotes. A line break would end the setting. */
export function settingValue(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\n', '\\n')}'`;
}

/** A field of a password file: `:` and `\` are escaped. */
export function passfileField(value: string): string {
  return value.replaceAll(/[:\\]/g, (character) => `\\${character}`);
}

/** A string constant in SQL (with `standard_conforming_strings`, the default). */
export function sqlText(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** A name in SQL. */
export function sqlName(value: string): string {
  return `"${value.replaceAll('"', '""')}"`;
}

/** A name in pg_hba.conf: in quotes no word has a special meaning. */
export function hbaName(value: string): string {
  return `"${value.replaceAll('"', '""')}"`;
}
