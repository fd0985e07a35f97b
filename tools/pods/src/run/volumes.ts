import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { PlacedPod } from '../expand/placed-pod';
import { filesOf } from '../expand/volume-files';
import type { VolumePlaces } from '../expand/container-arguments';
import type { Volume } from '../kubernetes';
import type { Objects } from '../objects';
import { mustRun, runProgram } from './program';

const SETGID = 0o2000;

/** The volumes of one pod on this machine. */
export class PodVolumes {
  /** Those in memory. */
  readonly #mounted: string[] = [];

  /**
   * @param claimsDir holds what outlives a pod, a directory for each claim
   * @param ownDir holds what goes with this pod
   */
  constructor(
    private readonly claimsDir: string,
    private readonly ownDir: string,
  ) {}

  /** @throws Error if a volume is of a kind that is not known here, or what it names is not there */
  async make(pod: PlacedPod, objects: Objects): Promise<VolumePlaces> {
    const places = new Map<string, string>();
    for (const volume of pod.spec.volumes ?? []) places.set(volume.name, await this.#place(volume, pod, objects));
    for (const [volume, claim] of Object.entries(pod.claims)) places.set(volume, this.#claim(claim, pod));
    return places;
  }

  async remove(): Promise<void> {
    for (const directory of this.#mounted) await runProgram('umount', [directory]);
    rmSync(this.ownDir, { recursive: true, force: true });
  }

  async #place(volume: Volume, pod: PlacedPod, objects: Objects): Promise<string> {
    const files = filesOf(volume, pod, objects);
    const directory = join(this.ownDir, volume.name);
    if (files !== null) {
      mkdirSync(directory, { recursive: true, mode: 0o755 });
      for (const { path, content, mode } of files) writeAs(join(directory, path), content, mode, pod);
      return directory;
    }
    if (volume.persistentVolumeClaim !== undefined) return this.#claim(volume.persistentVolumeClaim.claimName, pod);
    if (volume.emptyDir === undefined)
      throw new Error(`${pod.name}: volume ${volume.name} is of a kind not known here`);
    if (volume.emptyDir.medium === 'Memory') await this.#inMemory(directory, volume, pod);
    else {
      mkdirSync(directory, { recursive: true });
      giveToGroup(directory, pod.spec.securityContext?.fsGroup ?? 0, 0o777);
    }
    return directory;
  }

  async #inMemory(directory: string, { emptyDir }: Volume, pod: PlacedPod): Promise<void> {
    mkdirSync(directory, { recursive: true });
    const size = emptyDir?.sizeLimit === undefined ? '' : `,size=${emptyDir.sizeLimit.replace(/i$/, '').toLowerCase()}`;
    const options = `mode=2777,gid=${pod.spec.securityContext?.fsGroup ?? 0}${size}`;
    await mustRun('mount', ['-t', 'tmpfs', '-o', options, deviceOf(pod.namespace), directory]);
    this.#mounted.push(directory);
  }

  #claim(claim: string, pod: PlacedPod): string {
    const directory = join(this.claimsDir, claim);
    mkdirSync(directory, { recursive: true });
    const { fsGroup, fsGroupChangePolicy } = pod.spec.securityContext ?? {};
    if (fsGroup === undefined) return directory;
    const { gid, mode } = statSync(directory);
    const isRight = gid === fsGroup && (mode & SETGID) !== 0;
    if (fsGroupChangePolicy !== 'OnRootMismatch' || !isRight) giveToGroup(directory, fsGroup);
    return directory;
  }
}

function writeAs(file: string, content: Buffer, mode: number, pod: PlacedPod): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
  writeFileSync(file, content);
  chownSync(file, 0, pod.spec.securityContext?.fsGroup ?? 0);
  chmodSync(file, mode);
}

/** As the kubelet does for `fsGroup`: all that is there belongs to the group, which may write, and so does what comes. */
function giveToGroup(path: string, group: number, rights = 0): void {
  const seen = lstatSync(path);
  if (seen.isSymbolicLink()) return;
  chownSync(path, seen.uid, group);
  chmodSync(path, (seen.mode & 0o7777) | rights | (seen.isDirectory() ? SETGID | 0o770 : 0o660));
  if (!seen.isDirectory()) return;
  for (const entry of readdirSync(path)) giveToGroup(join(path, entry), group);
}

/** By this name volumes in memory stand in the list of mounts. */
const deviceOf = (namespace: string): string => `hapg-pods-${namespace}`;

/** Takes away the volumes in memory that an earlier process left. */
export async function unmountLeftovers(namespace: string): Promise<void> {
  for (const line of readFileSync('/proc/mounts', 'utf8').split('\n')) {
    const [device, directory = ''] = line.split(' ');
    if (device === deviceOf(namespace)) await runProgram('umount', [directory]);
  }
}
