import type { SwitchoverValue } from '@ha-postgres/cluster-state';
import type { Observation, SwitchoverTarget } from './observation';

/** Who is to succeed, or why nobody can. */
export type Choice = { readonly node: string } | { readonly refused: string };

/** Why a request is refused before anybody is looked at; null: it is not. */
export function whyRefused(o: Observation, { value, modifyIndex }: Request): string | null {
  if (value.from !== o.self.node) return `asked of ${value.from}, but ${o.self.node} is the Master`;
  if (modifyIndex <= (o.hold?.acquiredIndex ?? 0))
    return `was asked for before term ${o.hold?.term ?? 0} began, in which ${value.from} became Master anew`;
  if (o.paused) return 'the cluster is paused';
  if (value.to === o.self.node) return `${value.to} is the Master already`;
  if (!o.members.known) return `members unknown: ${o.members.why}`;
  const names = o.members.value.members.map(({ node }) => node).filter((node) => node !== o.self.node);
  if (names.length === 0) return 'there is no other member';
  if (value.to !== null && !names.includes(value.to)) return `${value.to} is not on the list of members`;
  return null;
}

interface Request {
  readonly value: SwitchoverValue;
  readonly modifyIndex: number;
}

/** The Replica that was named, or the best: least behind, then of highest priority, then by name. */
export function chooseSuccessor(to: string | null, targets: readonly SwitchoverTarget[]): Choice {
  if (to !== null) {
    const target = targets.find(({ node }) => node === to);
    const obstacle = target === undefined ? `${to} has not been seen` : obstacleTo(target);
    return obstacle === null ? { node: to } : { refused: obstacle };
  }
  const [best] = targets.filter((target) => obstacleTo(target) === null).sort(byFitness);
  if (best !== undefined) return { node: best.node };
  return { refused: `nobody can take over: ${targets.map(obstacleTo).join('; ')}` };
}

function obstacleTo({ node, streaming, able, why }: SwitchoverTarget): string | null {
  if (!able) return `${node} could not take over: ${why}`;
  return streaming ? null : `${node} does not stream from the Master`;
}

function byFitness(a: SwitchoverTarget, b: SwitchoverTarget): number {
  if (a.lagBytes !== b.lagBytes) return a.lagBytes - b.lagBytes;
  if (a.failoverPriority !== b.failoverPriority) return b.failoverPriority - a.failoverPriority;
  return a.node < b.node ? -1 : 1;
}
