import { parseNodeStatus, type NodeStatus } from '@ha-postgres/cluster-state';

/** What a node says of itself by its role-server, or null if it does not answer in time. */
export async function readNodeStatus(roleServerUrl: string, timeoutMs = 1_000): Promise<NodeStatus | null> {
  try {
    const response = await fetch(`${roleServerUrl}/controller/status`, { signal: AbortSignal.timeout(timeoutMs) });
    const body = await response.text();
    return response.ok ? statusIn(body) : null;
  } catch {
    return null;
  }
}

/** The status stands in the controller's state under `status`; a bare one is understood as well. */
function statusIn(body: string): NodeStatus | null {
  const whole = JSON.parse(body) as { status?: unknown };
  const parsed = parseNodeStatus(JSON.stringify(whole.status ?? whole));
  return parsed.ok ? parsed.value : null;
}
