import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { freePorts } from '@ha-postgres/local-cluster';
import { eventually } from '../wait-for';
import type { Fault } from './fault';
import { faultCluster } from './fault-cluster';

/** On this machine's own network: the second process is to reach the first as from another machine, by its address. */
const names = faultCluster({ netns: false, loadBalancers: 1, consulServers: 1 });

names.row(33, { half: 'quick', variant: 'on one machine' }, async (fault) => {
  await fault.strike(async () => {
    const { code, output } = await secondController(fault, {});
    expect(output).toContain('HAPG_NODE_LOCKED');
    expect(code).toBe(70);
  });
  await fault.nothingHappens();
});

names.row(33, { half: 'quick', variant: 'on another machine' }, async (fault) => {
  const elsewhere = join(fault.cluster.workdir, 'elsewhere');
  mkdirSync(elsewhere, { recursive: true });
  const [port = 0] = await freePorts(1);
  await fault.strike(async () => {
    const { code, output } = await secondController(fault, {
      HAPG_STATE_DIR: join(elsewhere, 'state'),
      HAPG_DATA_DIR: join(elsewhere, 'data'),
      HAPG_SOCKET: join(elsewhere, 'controller.sock'),
      HAPG_API_PORT: String(port),
    });
    expect(output).toContain('HAPG_NODE_NAME_TAKEN');
    expect(output).toContain(`${fault.replica.name} runs already`);
    expect(code).toBe(78);
  });
  await fault.nothingHappens();
});

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** A controller as that of a Replica, by the very command and environment, but for what is changed. Resolves when it has ended. */
async function secondController({ cluster, replica }: Fault, change: Readonly<Record<string, string>>): Promise<Ended> {
  const pid = await eventually(
    'the process of a controller',
    () => cluster.node(replica.name).processes['db-controller'],
  );
  const list = (file: string) =>
    readFileSync(`/proc/${pid}/${file}`, 'utf8')
      .split('\0')
      .filter((one) => one !== '');
  const [command = '', ...arguments_] = list('cmdline');
  const environment = Object.fromEntries(
    list('environ').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const child = spawn(command, arguments_, { env: { ...environment, ...change }, stdio: ['ignore', 'pipe', 'pipe'] });
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const bound = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearTimeout(bound);
  return { code, output: (await output).join('') };
}
