import Table from 'cli-table3';
import type { ClusterFile } from './cluster-file';

/** All members, their role and their processes, as text for people. */
export function describeProcesses(cluster: ClusterFile): string {
  const table = new Table({ head: ['MEMBER', 'ROLE', 'PORTS', 'PROCESSES'], style: { head: [], border: [] } });
  for (const server of cluster.consul.servers)
    table.push([server.name, '', server.http, pidList({ consul: server.pid })]);
  for (const node of cluster.nodes) {
    const ports = `postgres ${node.postgresPort}\n${node.roleServerUrl}`;
    table.push([node.name, node.role ?? 'no answer', ports, pidList(node.processes)]);
  }
  for (const lb of cluster.loadBalancers) {
    table.push([lb.name, '', `master ${lb.masterPort}\nstandby ${lb.standbyPort}`, pidList(lb.processes)]);
  }
  return table.toString();
}

function pidList(processes: Readonly<Record<string, number | null>>): string {
  return Object.entries(processes)
    .map(([name, pid]) => `${name} ${pid ?? 'down'}`)
    .join('\n');
}
