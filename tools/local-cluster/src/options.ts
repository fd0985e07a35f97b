import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The size of a local cluster, and what its services are told beyond their defaults. */
export interface ClusterOptions {
  readonly nodes: number;
  readonly loadBalancers: number;
  readonly consulServers: number;
  /** Everything of the cluster lies here; made if missing, used again if a cluster was there before. */
  readonly workdir: string;
  /** Options of the services by their names (`leaseDuration` → `3s`), given to all of them. */
  readonly settings: Readonly<Record<string, string>>;
  /** Every member in a network namespace of its own, so that they can be cut off from each other. Needs root on Linux. */
  readonly netns?: boolean;
  /** Every node with a wall clock of its own, which its file `clock` sets. Needs libfaketime on Linux. */
  readonly clocks?: boolean;
  /** What the nodes' names begin with, before their number; absent: `node`. In namespaces they are called so. */
  readonly nodePrefix?: string;
}

export const DEFAULT_SIZE = { nodes: 3, loadBalancers: 2, consulServers: 1 } as const;

/** A work directory that nobody else uses: the system's place for temporary files and this process's number. */
export function defaultWorkdir(): string {
  return join(tmpdir(), `ha-postgres-${process.pid}`);
}

/**
 * Reads one `--set option=value`.
 * @throws RangeError if it is not of that form; the message names it.
 */
export function parseSetting(text: string): readonly [string, string] {
  const match = /^([a-z][A-Za-z0-9]*)=(.*)$/s.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) {
    throw new RangeError(
      `--set ${JSON.stringify(text)}: give option=value with the option's name, as in leaseDuration=5s`,
    );
  }
  return [match[1], match[2]];
}

/** The environment variable of a service's option: `leaseDuration` → `HAPG_LEASE_DURATION`. */
export function environmentName(option: string): string {
  return `HAPG_${option.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/**
 * Reads a count given on the command line.
 * @throws RangeError if it is no whole number within the bounds; the message names it.
 */
export function parseCount(name: string, text: string, minimum: number, maximum: number): number {
  const count = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  if (!(count >= minimum && count <= maximum)) {
    throw new RangeError(`${name} ${JSON.stringify(text)}: a whole number from ${minimum} to ${maximum}`);
  }
  return count;
}
