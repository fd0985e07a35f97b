import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RemoteCluster } from '@ha-postgres/local-cluster';

/** A line of a service's structured log: what happened, with its fields. */
export interface LogLine {
  /** Wall clock, ISO 8601. */
  readonly time?: string;
  readonly event?: string;
  readonly name?: string;
  readonly rule?: string;
  readonly instruction?: { readonly kind: string };
  /** Of `failsafe.asked`: whether all agreed, and who did not. */
  readonly extended?: boolean;
  readonly refusals?: readonly { readonly node: string; readonly why: string }[];
}

/** Everything that a service has logged so far over all its restarts, oldest first. `target`: as in `node0/db-controller`. */
export function logOf(cluster: RemoteCluster, target: string): LogLine[] {
  const file = join(cluster.describe().logs, `${target.replace('/', '-')}.log`);
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => (line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line) as LogLine] : []));
}
