import { randomUUID } from 'node:crypto';
import {
  parseHistory,
  parseNodeStatus,
  type HistoryEntry,
  type SwitchoverState,
  type SwitchoverValue,
} from '@ha-postgres/cluster-state';
import { readNodeStatus, type ClusterFile, type RemoteCluster } from '@ha-postgres/local-cluster';
import { eventually } from './wait-for';

const TIMEOUT_MS = 2_000;

/** What came of a switchover: the promotion that answers it, or what the Master says who refused it. */
export type Outcome =
  | { readonly promotion: HistoryEntry; readonly refused: null }
  | { readonly promotion: null; readonly refused: SwitchoverState };

/** Asks for a switchover as an administrator does, by key `switchover`; the request's id. */
export async function requestSwitchover(
  cluster: ClusterFile,
  from: string,
  to: string | null,
  id = randomUUID(),
): Promise<string> {
  const value: SwitchoverValue = { id, from, to, by: 'e2e' };
  const response = await fetch(keyUrl(cluster, 'switchover'), {
    method: 'PUT',
    body: JSON.stringify(value),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`Consul answered ${response.status} ${await response.text()}`);
  return id;
}

/** Waits until a switchover has been answered. @throws Error if it is not. */
export function outcomeOf(cluster: RemoteCluster, id: string): Promise<Outcome> {
  return eventually(`an answer to switchover ${id}`, async () => {
    const promotion = (await promotions(cluster.describe())).find(({ switchover }) => switchover === id);
    if (promotion !== undefined) return { promotion, refused: null };
    for (const { roleServerUrl } of cluster.describe().nodes) {
      const said = (await readNodeStatus(roleServerUrl))?.switchover;
      if (said?.id === id && said.state === 'refused') return { promotion: null, refused: said };
    }
    return null;
  });
}

/** Key `history`, oldest first. */
export async function promotions(cluster: ClusterFile): Promise<readonly HistoryEntry[]> {
  const response = await fetch(`${keyUrl(cluster, 'history')}?raw`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const parsed = parseHistory(await response.text());
  if (!parsed.ok) throw new Error(parsed.why);
  return parsed.value.promotions;
}

/** Whether a node could take over, as it has told Consul, from where a Master learns it. */
export async function isToldAble(cluster: ClusterFile, node: string): Promise<boolean | null> {
  const response = await fetch(`${keyUrl(cluster, `${node}/status`)}?raw`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  const parsed = parseNodeStatus(await response.text());
  return parsed.ok ? parsed.value.takeover.able : null;
}

function keyUrl({ consul }: ClusterFile, key: string): string {
  const [server] = consul.servers;
  if (server === undefined) throw new Error('a cluster has a Consul server');
  return `${server.http}/v1/kv/${consul.prefix}/${key}`;
}
