import type { Observation } from './observation';

/**
 * Why what Consul says is less than this node has seen before: its memory went back (a restored snapshot), or is gone. Nobody
 * acquires or promotes on it before an administrator has named the Master (key `epoch`), as lease, votes and history may be lost.
 */
export function consulWentBack(o: Observation): string | null {
  if (!o.master.known) return null;
  const { entry } = o.master.value;
  if (entry === null) {
    return o.disk.highestTerm > 0
      ? 'the master key is gone: Consul has lost its memory, an administrator must name the Master'
      : 'no master key';
  }
  const what = epochBelow(o) ?? entryBelow(o);
  return what === null ? null : `Consul's memory went back (${what}): an administrator must name the Master`;
}

function entryBelow({ disk, master }: Observation): string | null {
  const entry = master.known ? master.value.entry : null;
  if (entry === null) return null;
  const { value, modifyIndex } = entry;
  if (modifyIndex < disk.highestModifyIndex || (value !== null && value.term < disk.highestTerm)) {
    return `seen: term ${disk.highestTerm}, index ${disk.highestModifyIndex}`;
  }
  // The same term a second time: whoever took it in the older memory did not know of the first.
  if (value?.term === disk.highestTerm && disk.highestTermNode !== null && value.node !== disk.highestTermNode) {
    return `term ${value.term} was ${disk.highestTermNode === '' ? "another node's" : `${disk.highestTermNode}'s`}, and now is ${value.node}'s`;
  }
  return null;
}

function epochBelow({ disk, epoch }: Observation): string | null {
  return epoch.known && epoch.value.number < disk.epoch ? `seen: epoch ${disk.epoch}` : null;
}
