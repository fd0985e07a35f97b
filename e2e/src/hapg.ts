import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { WORKSPACE_ROOT, type ClusterFile } from '@ha-postgres/local-cluster';

const MAIN = join(WORKSPACE_ROOT, 'apps', 'hapg', 'dist', 'main.js');
const TIMEOUT_MS = 90_000;

export interface Typed {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** What an operator of that cluster would see who types a command. */
export function hapg(cluster: ClusterFile, ...arguments_: readonly string[]): Promise<Typed> {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is not built`);
  const consul = cluster.consul.servers.find(({ pid }) => pid !== null)?.http ?? cluster.consul.http;
  const env = { ...process.env, CONSUL_HTTP_ADDR: consul, HAPG_CONSUL_PREFIX: cluster.consul.prefix };
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...arguments_], { env, timeout: TIMEOUT_MS }, (error, output, errors) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, output, errors });
    });
  });
}

/** Like {@link hapg}. @throws Error with what it said, unless it ended with 0 */
export async function typed(cluster: ClusterFile, ...arguments_: readonly string[]): Promise<string> {
  const { code, output, errors } = await hapg(cluster, ...arguments_);
  if (code !== 0) throw new Error(`hapg ${arguments_.join(' ')} ended with ${code}: ${errors}${output}`);
  return output;
}
