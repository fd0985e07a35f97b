/**
 * How long after a change of key `master` does HAProxy lead to the new Master? Real Consul, HAProxy and the built
 * lb-syncer; a change counts from Consul's answer to the write until a new connection through HAProxy reaches the new
 * node, and, printed as well, from when the write was sent. Consul keeps its log in memory: its disk is not what is
 * measured. Ends with 1 if the median since the answer is not under 10 ms.
 */
import { join } from 'node:path';
import { inspect } from 'node:util';
import { LabCluster } from '../test/lab/cluster';
import { startConsul } from '../test/lab/consul';
import { startHaproxy } from '../test/lab/haproxy';
import { LabNode, reached } from '../test/lab/node';
import { Server, eventually, freePorts } from '../test/lab/processes';

const CHANGES = 100;
const MEDIAN_LIMIT_MS = 10;

interface Switch {
  /** From sending the write until the new node is reached, in milliseconds. */
  readonly sinceSentMs: number;
  /** The same from Consul's answer to the write; negative if the route was there before it. */
  readonly sinceAnsweredMs: number;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function routed(port: number, node: string): Promise<number> {
  const limit = performance.now() + 5000;
  while ((await reached(port)) !== node) {
    if (performance.now() > limit) throw new Error(`not routed to ${node} within 5 s`);
  }
  return performance.now();
}

async function measureOne(cluster: LabCluster, port: number, next: LabNode): Promise<Switch> {
  const sentAt = performance.now();
  let answeredAt = 0;
  const write = cluster.write(next).then(() => (answeredAt = performance.now()));
  const routedAt = await routed(port, next.name);
  await write;
  return { sinceSentMs: routedAt - sentAt, sinceAnsweredMs: routedAt - answeredAt };
}

async function measure(ends: (() => Promise<unknown>)[]): Promise<Switch[]> {
  const consul = await startConsul('memory');
  ends.push(consul.end);
  const haproxy = await startHaproxy();
  ends.push(haproxy.end);
  const nodes = [await new LabNode('pg-0').start(), await new LabNode('pg-1').start()] as const;
  for (const node of nodes) {
    node.role = 'Master';
    ends.push(() => node.end());
  }
  const [port = 0] = await freePorts(1);
  const syncer = new Server(
    process.execPath,
    [
      process.env.LB_SYNCER ?? join(process.cwd(), 'dist/main.js'),
      ...['--name', 'bench', '--host', '127.0.0.1', '--port', String(port), '--haproxy-address', haproxy.adminAddress],
    ],
    { env: { CONSUL_HTTP_ADDR: consul.address } },
  );
  syncer.start();
  ends.push(() => syncer.end('SIGTERM'));
  const cluster = new LabCluster(consul.client);
  await cluster.acquire(nodes[0]);
  await eventually(
    'the first route',
    () => reached(haproxy.masterPort),
    (node) => node === 'pg-0',
  ).catch((error: unknown) => {
    throw new Error(`lb-syncer said: ${syncer.output}`, { cause: error });
  });
  const switches: Switch[] = [];
  for (let change = 1; change <= CHANGES; change += 1) {
    // Not in step with lb-syncer's poll of HAProxy every second.
    await pause(100 + ((change * 37) % 150));
    switches.push(await measureOne(cluster, haproxy.masterPort, nodes[change % 2 === 0 ? 0 : 1]));
  }
  return switches;
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN;

function report(title: string, times: readonly number[]): number {
  const sorted = [...times].sort((a, b) => a - b);
  const [median, p95, max] = [quantile(sorted, 0.5), quantile(sorted, 0.95), quantile(sorted, 1)];
  process.stdout.write(
    `${title.padEnd(28)} median ${median.toFixed(2)} ms   p95 ${p95.toFixed(2)} ms   max ${max.toFixed(2)} ms\n`,
  );
  return median;
}

async function main(): Promise<number> {
  const ends: (() => Promise<unknown>)[] = [];
  try {
    const switches = await measure(ends);
    process.stdout.write(`${switches.length} changes of key master, until a new connection reaches the new Master\n`);
    report(
      'since the write was sent',
      switches.map((one) => one.sinceSentMs),
    );
    const median = report(
      'since Consul confirmed it',
      switches.map((one) => one.sinceAnsweredMs),
    );
    return median < MEDIAN_LIMIT_MS ? 0 : 1;
  } finally {
    for (const end of ends.reverse()) await end();
  }
}

main().then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${inspect(error)}\n`);
    process.exitCode = 1;
  },
);
