import type { Deployment, LonePod, PodSpec, StatefulSet } from '../kubernetes';
import { revisionOf } from './revision';

/** A pod as Kubernetes would make it of a workload, before it has an address. */
export interface PlannedPod {
  readonly name: string;
  readonly namespace: string;
  /** `StatefulSet/ha-postgres`; null: it was made by itself. */
  readonly owner: string | null;
  readonly revision: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: PodSpec;
  readonly hostname: string;
  /** The headless service by which it has a name of its own. */
  readonly subdomain: string | null;
  /** Claims by the volumes of the pod that they are mounted as. */
  readonly claims: Readonly<Record<string, string>>;
}

/** The owner's name as pods carry it. */
export const ownerOf = ({ kind, metadata }: StatefulSet | Deployment): string => `${kind}/${metadata.name}`;

/** The pod of a StatefulSet with one ordinal. */
export function podOfStatefulSet(set: StatefulSet, ordinal: number, namespace: string): PlannedPod {
  const { template, volumeClaimTemplates = [], serviceName } = set.spec;
  const name = `${set.metadata.name}-${ordinal}`;
  const revision = revisionOf(template);
  return {
    name,
    namespace,
    owner: ownerOf(set),
    revision,
    labels: {
      ...template.metadata?.labels,
      'controller-revision-hash': revision,
      'statefulset.kubernetes.io/pod-name': name,
      'apps.kubernetes.io/pod-index': String(ordinal),
    },
    annotations: template.metadata?.annotations ?? {},
    spec: template.spec,
    hostname: name,
    subdomain: serviceName ?? null,
    claims: Object.fromEntries(volumeClaimTemplates.map(({ metadata }) => [metadata.name, `${metadata.name}-${name}`])),
  };
}

/** A pod of a Deployment. @param suffix tells it from the others of its revision */
export function podOfDeployment(deployment: Deployment, suffix: string, namespace: string): PlannedPod {
  const { template } = deployment.spec;
  const revision = revisionOf(template);
  const name = `${deployment.metadata.name}-${revision}-${suffix}`;
  return {
    ...alone(name, namespace, template.spec),
    owner: ownerOf(deployment),
    revision,
    labels: { ...template.metadata?.labels, 'pod-template-hash': revision },
    annotations: template.metadata?.annotations ?? {},
  };
}

export function podByItself({ metadata, spec }: LonePod, namespace: string): PlannedPod {
  const { labels = {}, annotations = {} } = metadata;
  return { ...alone(metadata.name, namespace, spec), labels, annotations };
}

function alone(name: string, namespace: string, spec: PodSpec): PlannedPod {
  const { hostname = name, subdomain = null } = spec;
  return {
    name,
    namespace,
    owner: null,
    revision: '',
    labels: {},
    annotations: {},
    spec,
    hostname,
    subdomain,
    claims: {},
  };
}
