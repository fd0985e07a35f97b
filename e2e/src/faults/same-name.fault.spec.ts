import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '@ha-postgres/local-cluster';
import { runAgain, type Ended } from '../second-process';
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

/** A controller as that of a Replica, but for what is changed. */
async function secondController({ cluster, replica }: Fault, change: Readonly<Record<string, string>>): Promise<Ended> {
  const pid = await eventually(
    'the process of a controller',
    () => cluster.node(replica.name).processes['db-controller'],
  );
  return runAgain(pid, change);
}
