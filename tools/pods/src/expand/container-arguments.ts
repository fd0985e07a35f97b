import { posix } from 'node:path';
import type { Container, VolumeMount } from '../kubernetes';
import { expanded } from './environment';
import type { PlacedPod } from './placed-pod';

/** Where a pod's volume is on this machine: a directory, or the name of a volume of podman's. */
export type VolumePlaces = ReadonlyMap<string, string>;

export interface Making {
  readonly pod: PlacedPod;
  readonly container: Container;
  readonly environment: ReadonlyMap<string, string>;
  readonly volumes: VolumePlaces;
  /** Where the number of its first process and what it prints are written to. */
  readonly pidFile: string;
  readonly logFile: string;
}

/** The name by which a container is found with podman. */
export const containerName = (namespace: string, pod: string, container: string): string =>
  `${namespace}-${pod}-${container}`;

/**
 * The command line of podman that makes a container as the kubelet would have it made.
 * @throws Error if it mounts a volume that the pod does not have, or would run as root against what is said
 */
export function createArguments({ pod, container, environment, volumes, pidFile, logFile }: Making): string[] {
  const { namespace, name } = pod;
  const entrypoint = container.command?.map((word) => expanded(word, environment));
  return [
    'create',
    `--pod=${namespace}-${name}`,
    `--name=${containerName(namespace, name, container.name)}`,
    `--label=io.kubernetes.pod.namespace=${namespace}`,
    `--label=io.kubernetes.pod.name=${name}`,
    `--label=io.kubernetes.container.name=${container.name}`,
    '--pull=never',
    `--pidfile=${pidFile}`,
    '--log-driver=k8s-file',
    `--log-opt=path=${logFile}`,
    ...rights(pod, container),
    ...[...environment].map(([variable, value]) => `--env=${variable}=${value}`),
    ...(container.volumeMounts ?? []).map((mount) => mountArgument(pod, mount, volumes)),
    ...(container.workingDir === undefined ? [] : [`--workdir=${container.workingDir}`]),
    ...(entrypoint === undefined ? [] : [`--entrypoint=${JSON.stringify(entrypoint)}`]),
    container.image,
    ...(container.args ?? []).map((word) => expanded(word, environment)),
  ];
}

function rights({ name, spec }: PlacedPod, container: Container): string[] {
  const ofPod = spec.securityContext ?? {};
  const own = { ...ofPod, ...container.securityContext };
  if (own.runAsNonRoot === true && (own.runAsUser ?? 0) === 0)
    throw new Error(`${name}/${container.name}: runAsNonRoot, and no account is named`);
  const user = own.runAsUser === undefined ? [] : [`--user=${own.runAsUser}:${own.runAsGroup ?? 0}`];
  const groups = [...(ofPod.fsGroup === undefined ? [] : [ofPod.fsGroup]), ...(ofPod.supplementalGroups ?? [])];
  return [
    ...user,
    ...groups.map((group) => `--group-add=${group}`),
    ...(own.readOnlyRootFilesystem === true ? ['--read-only', '--read-only-tmpfs=false'] : []),
    ...(own.allowPrivilegeEscalation === false ? ['--security-opt=no-new-privileges'] : []),
    ...(own.capabilities?.drop ?? []).map((capability) => `--cap-drop=${capability.toLowerCase()}`),
    ...(own.capabilities?.add ?? []).map((capability) => `--cap-add=${capability.toLowerCase()}`),
  ];
}

function mountArgument(pod: PlacedPod, mount: VolumeMount, volumes: VolumePlaces): string {
  const { name, mountPath, subPath, readOnly = false } = mount;
  const place = volumes.get(name);
  if (place === undefined) throw new Error(`${pod.name} has no volume ${name}`);
  const source = subPath === undefined ? place : posix.join(place, subPath);
  return `--volume=${source}:${mountPath}${readOnly ? ':ro' : ''}`;
}
