import type { Service } from '../kubernetes';
import { endpointsOf, isHeadless, type PodSeen } from './endpoints';

export const CLUSTER_DOMAIN = 'cluster.local';

/** Names in full, in small letters, and their addresses. A name without any is known, and empty. */
export type Zone = ReadonlyMap<string, readonly string[]>;

/**
 * The names that Kubernetes' DNS gives services and, below headless ones, pods.
 * @param addresses of the services that have one
 */
export function zoneOf(
  namespace: string,
  services: readonly Service[],
  pods: readonly PodSeen[],
  addresses: ReadonlyMap<string, string>,
): Zone {
  const zone = new Map<string, readonly string[]>();
  for (const service of services) {
    const name = `${service.metadata.name}.${namespace}.svc.${CLUSTER_DOMAIN}`;
    const own = addresses.get(service.metadata.name);
    if (!isHeadless(service)) {
      zone.set(name, own === undefined ? [] : [own]);
      continue;
    }
    const endpoints = endpointsOf(service, pods);
    zone.set(
      name,
      endpoints.map(({ ip }) => ip),
    );
    for (const pod of endpoints) {
      if (pod.subdomain === service.metadata.name) zone.set(`${pod.hostname}.${name}`, [pod.ip]);
    }
  }
  return zone;
}

/** Where a resolver looks for a short name, in the order of Kubernetes. */
export const searchDomains = (namespace: string): string[] => [
  `${namespace}.svc.${CLUSTER_DOMAIN}`,
  `svc.${CLUSTER_DOMAIN}`,
  CLUSTER_DOMAIN,
];
