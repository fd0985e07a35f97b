import type { Upstream } from '@ha-postgres/cluster-state';

/**
 * What libpq is told of where WAL is streamed from: the upstream itself, or the load balancers that lead to it, of which it takes
 * the first that lets it connect.
 */
export function streamDoor({ host, port, via = [] }: Upstream): { readonly host: string; readonly port: string } {
  const doors = via.length > 0 ? via : [{ host, port }];
  return { host: doors.map((door) => door.host).join(','), port: doors.map((door) => String(door.port)).join(',') };
}

/** Whether WAL is streamed from both by the same way. */
export function isSameWay(left: Upstream | null, right: Upstream | null): boolean {
  if (left === null || right === null) return left === right;
  const [one, other] = [streamDoor(left), streamDoor(right)];
  return one.host === other.host && one.port === other.port;
}
