import type { FieldFile, FilesOfObject, ProjectedSource, Volume } from '../kubernetes';
import type { Objects } from '../objects';
import { fieldOf, type PlacedPod } from './placed-pod';

/** A file of a volume that Kubernetes fills. */
export interface VolumeFile {
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
}

const DEFAULT_MODE = 0o644;
/** With `fsGroup` the files are the group's to read. */
const GROUP_READS = 0o040;

/**
 * The files of a volume of a ConfigMap, a Secret, the downward API or several of them; null: it is a volume of another kind.
 * @throws Error if what it names is not there
 */
export function filesOf(volume: Volume, pod: PlacedPod, objects: Objects): VolumeFile[] | null {
  const { configMap, secret, downwardAPI, projected } = volume;
  const sources = projected?.sources ?? [
    ...(configMap === undefined ? [] : [{ configMap }]),
    ...(secret === undefined ? [] : [{ secret }]),
    ...(downwardAPI === undefined ? [] : [{ downwardAPI }]),
  ];
  if (sources.length === 0 && projected === undefined) return null;
  const mode = projected?.defaultMode ?? downwardAPI?.defaultMode ?? DEFAULT_MODE;
  const files = sources.flatMap((source) => filesOfSource(source, mode, pod, objects));
  const isGroups = pod.spec.securityContext?.fsGroup !== undefined;
  return isGroups ? files.map((file) => ({ ...file, mode: file.mode | GROUP_READS })) : files;
}

function filesOfSource(source: ProjectedSource, mode: number, pod: PlacedPod, objects: Objects): VolumeFile[] {
  const { configMap, secret, downwardAPI } = source;
  if (configMap !== undefined) return chosen(configMap, objects.configMap(configMap.name ?? ''), mode);
  if (secret !== undefined) return chosen(secret, objects.secret(secret.secretName ?? secret.name ?? ''), mode);
  return (downwardAPI?.items ?? []).map((item) => fieldFile(item, mode, pod));
}

function fieldFile({ path, fieldRef, mode }: FieldFile, otherwise: number, pod: PlacedPod): VolumeFile {
  const content = fieldRef === undefined ? '' : fieldOf(pod, fieldRef.fieldPath);
  return { path, content: Buffer.from(content), mode: mode ?? otherwise };
}

function chosen(of: FilesOfObject, values: ReadonlyMap<string, Buffer> | null, otherwise: number): VolumeFile[] {
  const name = of.secretName ?? of.name ?? '';
  if (values === null) {
    if (of.optional === true) return [];
    throw new Error(`a volume is to be filled from ${name}, which is not there`);
  }
  const mode = of.defaultMode ?? otherwise;
  if (of.items === undefined) return [...values].map(([path, content]) => ({ path, content, mode }));
  return of.items.map((item) => {
    const content = values.get(item.key);
    if (content === undefined) throw new Error(`a volume is to have key ${item.key} of ${name}, which is not there`);
    return { path: item.path, content, mode: item.mode ?? mode };
  });
}
