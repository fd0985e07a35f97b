import type { ClusterFile } from '@ha-postgres/local-cluster';

const TIMEOUT_MS = 2_000;

/** The Consul server that leads, by its own word; null: none says so. */
export async function leadingServer({ consul }: ClusterFile): Promise<string | null> {
  for (const { name, http } of consul.servers) {
    const stats = await ask<{ Stats?: { consul?: { leader?: string } } }>(`${http}/v1/agent/self`);
    if (stats?.Stats?.consul?.leader === 'true') return name;
  }
  return null;
}

/** True once every Consul server is alive, votes and is up to date, so that one of them may be lost. */
export async function allServersVote({ consul }: ClusterFile): Promise<boolean> {
  for (const { http } of consul.servers) {
    const health = await ask<{ Servers: { Healthy: boolean; Voter: boolean }[] }>(
      `${http}/v1/operator/autopilot/health`,
    );
    const voters = health?.Servers.filter(({ Healthy, Voter }) => Healthy && Voter) ?? [];
    if (voters.length < consul.servers.length) return false;
  }
  return true;
}

/** Null: no answer, or none that says anything. Autopilot answers 429 while a server is unhealthy. */
async function ask<Answer>(url: string): Promise<Answer | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const text = await response.text();
    return response.ok ? (JSON.parse(text) as Answer) : null;
  } catch {
    return null;
  }
}
