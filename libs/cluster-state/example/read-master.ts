/// <reference types="node" />
// Reads the key `master` as a load balancer would: an unreadable value is treated as absent, with a reason to log.
import { clusterKeys, nodeOrdinal, parseMaster } from '@ha-postgres/cluster-state';

const keys = clusterKeys('service/postgres');

function masterOf(text: string): string {
  const master = parseMaster(text);
  if (!master.ok) return `nobody: ${master.why}`;
  const { node, host, port, phase } = master.value;
  return phase === 'running'
    ? `${node} (slot ${nodeOrdinal(node) ?? 'none'}) at ${host}:${port}`
    : `nobody yet: ${phase}`;
}

const value = {
  ...{ node: 'ha-postgres-2', host: '10.0.0.7', port: 5432, apiPort: 8080 },
  ...{ term: 4, beat: 17, phase: 'running', timeline: 3, lsn: '0/5000148', lsnExact: false },
  ...{ released: false, successor: null, last: null },
};
process.stdout.write(`${keys.master}: ${masterOf(JSON.stringify(value))}\n`);
process.stdout.write(`${keys.master}: ${masterOf('{"term": 0}')}\n`);
