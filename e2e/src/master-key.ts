import { parseMaster, type MasterValue } from '@ha-postgres/cluster-state';
import type { ClusterFile } from '@ha-postgres/local-cluster';

const TIMEOUT_MS = 2_000;

/**
 * Key `master` as Consul has it, asked of one server after the other.
 * @throws Error if none answers, or what stands there is no value of that key.
 */
export async function masterKey({ consul }: ClusterFile): Promise<MasterValue> {
  const failures: unknown[] = [];
  for (const { http } of consul.servers) {
    try {
      return await readFrom(http, consul.prefix);
    } catch (error) {
      failures.push(error);
    }
  }
  throw new AggregateError(failures, `no Consul server tells the key master: ${failures.map(String).join('; ')}`);
}

async function readFrom(http: string, prefix: string): Promise<MasterValue> {
  const response = await fetch(`${http}/v1/kv/${prefix}/master?raw`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${http} answered ${response.status} ${text}`);
  const parsed = parseMaster(text);
  if (!parsed.ok) throw new Error(`${http}: ${parsed.why}`);
  return parsed.value;
}
