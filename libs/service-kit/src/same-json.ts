type Fields = Readonly<Record<string, unknown>>;

/**
 * Whether two values would be the same JSON, whatever the order of their fields: plain objects, lists, texts, numbers (also bigints, of which
 * JSON has none), flags and null; a field that is `undefined` is none. It takes a fraction of the time and of the memory that writing both as text would.
 */
export function isSameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return Object.is(a, b);
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && isSameList(a, b);
  return hasFieldsOf(a as Fields, b as Fields) && lacksOthers(b as Fields, a as Fields);
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((one, i) => isSameJson(one, b[i]));
}

/** `for … in` makes no list of the names; none of these objects has inherited fields. */
function hasFieldsOf(a: Fields, b: Fields): boolean {
  for (const name in b) if (!isSameJson(a[name], b[name])) return false;
  return true;
}

function lacksOthers(b: Fields, a: Fields): boolean {
  for (const name in a) if (a[name] !== undefined && b[name] === undefined) return false;
  return true;
}
