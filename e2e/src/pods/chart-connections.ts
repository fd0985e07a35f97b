import type { OpenConnection } from '@ha-postgres/checker';
import { Visitor } from '../visitor';
import type { InstalledChart } from './installed-chart';

/** A connection that is held without being used, and the pod at its other end. */
export interface HeldOnChart {
  readonly pod: string;
  readonly connection: OpenConnection;
}

const WHERE = 'SELECT host(inet_server_addr()) AS ip, pg_is_in_recovery() AS recovery';

interface Where {
  readonly ip: string;
  readonly recovery: boolean;
}

/** Opens connections through a port of the service, one after the other. */
export async function holdOnChart(chart: InstalledChart, port: number, count: number): Promise<HeldOnChart[]> {
  const held: HeldOnChart[] = [];
  while (held.length < count) {
    const connection = await chart.connect(port);
    const { rows } = await connection.client.query<Where>(WHERE);
    held.push({ pod: podAt(chart, rows[0]?.ip) ?? `nobody at ${JSON.stringify(rows)}`, connection });
  }
  return held;
}

export function dropHeld(held: readonly HeldOnChart[]): void {
  for (const { connection } of held) connection.drop();
}

export const areClosed = (held: readonly HeldOnChart[]): boolean =>
  held.every(({ connection }) => connection.isBroken());

export async function stillAnswer(held: readonly HeldOnChart[]): Promise<boolean> {
  const answers = await Promise.allSettled(held.map(({ connection }) => connection.client.query('SELECT 1')));
  return answers.every(({ status }) => status === 'fulfilled');
}

/** Whether a port refuses a new connection at once, which is more than being silent to it. */
export async function isRefused(chart: InstalledChart, port: number): Promise<boolean> {
  try {
    (await chart.connect(port)).drop();
    return false;
  } catch (error) {
    return !/time/i.test((error as Error).message);
  }
}

/** Opens one connection after the other through a port of the service. */
export function visitorOn(chart: InstalledChart, port: number): Visitor {
  return Visitor.looking(async () => {
    const [row] = await chart.query<Where>(WHERE, port).catch(() => []);
    return { node: podAt(chart, row?.ip), isInRecovery: row?.recovery ?? false };
  });
}

const podAt = (chart: InstalledChart, ip: string | undefined): string | null =>
  chart.nodes.find((pod) => pod.ip === ip)?.name ?? null;
