import type { PodSpec, Service, ServicePort } from '../kubernetes';

/** A pod as services see it. */
export interface PodSeen {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly hostname: string;
  readonly subdomain: string | null;
  readonly spec: PodSpec;
  readonly ip: string;
  /** It is ready, and is not ending. */
  readonly isServing: boolean;
}

/** The pods that a service leads to now, in the order in which they are given. */
export function endpointsOf({ spec }: Service, pods: readonly PodSeen[]): PodSeen[] {
  const { selector, publishNotReadyAddresses = false } = spec;
  if (selector === undefined) return [];
  const wanted = Object.entries(selector);
  return pods.filter(
    ({ labels, isServing }) =>
      (isServing || publishNotReadyAddresses) && wanted.every(([name, value]) => labels[name] === value),
  );
}

/** The number of the port in a pod that a service's port leads to; null: the pod names no such port. */
export function targetPort({ port, targetPort: target = port }: ServicePort, spec: PodSpec): number | null {
  if (typeof target === 'number') return target;
  return portNamed(spec, target);
}

/** The number of a port that a container of the pod gives a name to. */
export function portNamed(spec: PodSpec, name: string): number | null {
  const ports = [...(spec.initContainers ?? []), ...spec.containers].flatMap((container) => container.ports ?? []);
  return ports.find((port) => port.name === name)?.containerPort ?? null;
}

export const isHeadless = ({ spec }: Service): boolean => spec.clusterIP === 'None';
