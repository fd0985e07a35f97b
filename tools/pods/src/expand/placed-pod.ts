import type { PlannedPod } from './planned-pod';

/** A pod that has its address. */
export interface PlacedPod extends PlannedPod {
  readonly ip: string;
  readonly uid: string;
}

/**
 * What the downward API says.
 * @throws Error if nothing is known of such a field
 */
export function fieldOf(pod: PlacedPod, path: string): string {
  const fields: Readonly<Record<string, string | undefined>> = {
    'metadata.name': pod.name,
    'metadata.namespace': pod.namespace,
    'metadata.uid': pod.uid,
    'spec.serviceAccountName': pod.spec.serviceAccountName ?? 'default',
    'spec.nodeName': 'this-machine',
    'status.podIP': pod.ip,
    'status.podIPs': pod.ip,
  };
  const value = fields[path] ?? mapped(pod, path);
  if (value === undefined) throw new Error(`${pod.name}: nothing is known of the field ${path}`);
  return value;
}

/** `metadata.labels['app']` and `metadata.annotations['x']`: empty where there is no such entry. */
function mapped(pod: PlacedPod, path: string): string | undefined {
  const parts = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path);
  if (parts === null) return undefined;
  const [, kind, key = ''] = parts;
  return (kind === 'labels' ? pod.labels : pod.annotations)[key] ?? '';
}
