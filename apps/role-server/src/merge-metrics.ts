/**
 * Puts two texts in Prometheus' format together. A family that is in both (such as the memory of a process) must be
 * described only once, with all its samples together, or strict readers refuse the whole text.
 */
export function mergeMetrics(first: string, second: string): string {
  const families = new Map<string, { head: string[]; samples: string[] }>();
  for (const text of [first, second]) addFamilies(families, text);
  return [...families.values()].map(({ head, samples }) => `${[...head, ...samples].join('\n')}\n`).join('\n');
}

function addFamilies(families: Map<string, { head: string[]; samples: string[] }>, text: string): void {
  let family = { head: [] as string[], samples: [] as string[] };
  let isNew = false;
  for (const line of text.split('\n').filter((line) => line.trim() !== '')) {
    const [, kind, name = ''] = /^# (HELP|TYPE) (\S+)/.exec(line) ?? [];
    if (kind === 'HELP' || (kind === 'TYPE' && families.get(name) !== family)) {
      isNew = !families.has(name);
      family = families.get(name) ?? { head: [], samples: [] };
      families.set(name, family);
    }
    if (kind === undefined) family.samples.push(line);
    else if (isNew) family.head.push(line);
  }
}
