import type { Service } from '../kubernetes';
import { endpointsOf, isHeadless, targetPort, type PodSeen } from './endpoints';

/** Chains of our own in the tables `nat` and `filter`; what is in them is replaced whole. */
export const chainsOf = (namespace: string): { readonly chain: string; readonly after: string } => ({
  chain: `HAPG-PODS-${namespace}`,
  after: `HAPG-PODS-${namespace}-AFTER`,
});

export interface RulesInput {
  readonly namespace: string;
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
export function serviceRules({ namespace, services, pods, addresses, subnet }: RulesInput): string {
  const { chain, after } = chainsOf(namespace);
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
        (target, index) => `-A ${chain} ${match}${chance(targets.length - index)} -j DNAT --to-destination ${target}`,
      ),
    );
    if (targets.length === 0) filter.push(`-A ${chain} ${match} -j REJECT --reject-with icmp-port-unreachable`);
  }
  return [
    ...['*nat', `:${chain} - [0:0]`, `:${after} - [0:0]`, ...nat],
    // The answer has to come back through this machine: pods see each other on one bridge otherwise, past the translation. And a pod that a
    // service leads to itself must not see its own address as that of who asks.
    `-A ${after} -s ${subnet} -d ${subnet} -m conntrack --ctstate DNAT -j MASQUERADE`,
    ...['COMMIT', '*filter', `:${chain} - [0:0]`, ...filter, 'COMMIT', ''],
  ].join('\n');
}

/** Of those that are left, the first is taken with this probability, so that all have the same. */
const chance = (left: number): string =>
  left === 1 ? '' : ` -m statistic --mode random --probability ${(1 / left).toFixed(8)}`;
