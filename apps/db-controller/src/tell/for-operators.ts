import type { NodeStatus } from '@ha-postgres/cluster-state';
import { consulWentBack, syncProblem, type Observation } from '@ha-postgres/failover';
import type { Parts } from '../parts';

type ForOperators = Required<
  Pick<NodeStatus, 'paused' | 'systemId' | 'highestTerm' | 'epoch' | 'consulWentBack' | 'knownMembers' | 'incarnation'>
>;

type ForOperatorsParts = Pick<Parts, 'incarnation'> & { readonly disk: Pick<Parts['disk'], 'knownMembers'> };

/** What nobody but `hapg` needs to know of a node: by it keys are made anew where Consul has lost them. */
export function forOperators(o: Observation, parts: ForOperatorsParts): ForOperators {
  const hasData = o.disk.highestTerm > 0;
  return {
    paused: o.paused,
    systemId: o.runner.known ? o.runner.value.data.systemId : null,
    highestTerm: Math.max(o.disk.highestTerm, o.votedTerm),
    epoch: o.disk.epoch,
    // A node that has seen nothing yet misses nothing.
    consulWentBack: hasData ? (consulWentBack(o) ?? syncRuleWentBack(o)) : null,
    knownMembers: parts.disk.knownMembers,
    incarnation: parts.incarnation,
  };
}

function syncRuleWentBack(o: Observation): string | null {
  // What it read before it took the lock may be older than what its predecessor told.
  if (o.hold !== null && o.sync.known && o.sync.seenAt < o.hold.provenAt) return null;
  return o.sync.known && o.sync.value.isReadable ? syncProblem(o) : null;
}
