import type { Service } from '../kubernetes';
import { endpointsOf, isHeadless, targetPort, type PodSeen } from './endpoints';

/** Chains of our own in the tables `nat` and `filter`; what is in them is replaced whole. */
export const CHAIN = 'HAPG-PODS';
export const CHAIN_AFTER = 'HAPG-PODS-AFTER';

export interface RulesInput {
  readonly services: readonly Service[];
  readonly pods: readonly PodSeen[];
  /** The address of each service that has one. */
  readonly addresses: ReadonlyMap<string, string>;
  /** The network of the pods. */
  readonly subnet: string;
}

/**
 * What iptables-restore takes: a service's address leads to one of its pods by chance, as kube-proxy has it, and is refused at once where it
 * has none. Connections that are there stay where they are.
 */
export function serviceRules({ services, pods, addresses, subnet }: RulesInput): string {
  const ports = services
    .filter((service) => !isHeadless(service))
    .flatMap((service) => (service.spec.ports ?? []).map((port) => ({ service, port })));
  const nat: string[] = [];
  const filter: string[] = [];
  for (const { service, port } of ports) {
    const address = addresses.get(service.metadata.name);
    if (address === undefined) continue;
    const match = `-d ${address}/32 -p ${(port.protocol ?? 'TCP').toLowerCase()} --dport ${port.port}`;
    const targets = endpointsOf(service, pods).flatMap((pod) => {
      const target = targetPort(port, pod.spec);
      return target === null ? [] : [`${pod.ip}:${target}`];
    });
    nat.push(
      ...targets.map(
        (target, index) => `-A ${CHAIN} ${match}${chance(targets.length - index)} -j DNAT --to-destination ${target}`,
      ),
    );
    if (targets.length === 0) filter.push(`-A ${CHAIN} ${match} -j REJECT --reject-with icmp-port-unreachable`);
  }
  return [
    ...['*nat', `:${CHAIN} - [0:0]`, `:${CHAIN_AFTER} - [0:0]`, ...nat],
    // The answer has to come back through this machine: pods see each other on one bridge otherwise, past the translation.
    `-A ${CHAIN_AFTER} -s ${subnet} -d ${subnet} -m conntrack --ctstate DNAT -j MASQUERADE`,
    ...['COMMIT', '*filter', `:${CHAIN} - [0:0]`, ...filter, 'COMMIT', ''],
  ].join('\n');
}

/** Of those that are left, the first is taken with this probability, so that all have the same. */
const chance = (left: number): string =>
  left === 1 ? '' : ` -m statistic --mode random --probability ${(1 / left).toFixed(8)}`;
