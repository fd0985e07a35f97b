/** The longest name that PostgreSQL takes (NAMEDATALEN − 1). */
const NAME_MAX = 63;
const PREFIX = 'ha';

/**
 * The physical replication slot that the Master of `term` keeps for a node. The term is part of the name: a slot of a former
 * mastership, whose position says nothing any more, is told from one that holds WAL back for somebody.
 */
export function slotName(term: number, node: string): string {
  const head = `${PREFIX}_${term}_`;
  const plain = node.toLowerCase().replaceAll(/[^a-z0-9_]/g, '_');
  if (plain === node && head.length + node.length <= NAME_MAX) return head + node;
  // Slots know neither capitals nor "-" nor ".": two nodes must not become one by it.
  const sum = checksum(node);
  return `${head}${plain.slice(0, NAME_MAX - head.length - sum.length - 1)}_${sum}`;
}

/** The term of a slot made by {@link slotName}; null: somebody else's slot. */
export function termOfSlot(name: string): number | null {
  const digits = /^ha_(\d{1,16})_/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** FNV-1a, 32 bits. */
function checksum(text: string): string {
  let sum = 0x811c9dc5;
  for (const byte of text) sum = Math.imul(sum ^ (byte.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return sum.toString(16).padStart(8, '0');
}
