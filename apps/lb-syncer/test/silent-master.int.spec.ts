import { showStat } from '@ha-postgres/haproxy-runtime';
import { startLab, type Lab } from './lab/lab';
import { LabConnection, reached } from './lab/node';
import { eventually } from './lab/processes';
import { SilentNode } from './lab/silent-node';

/** Longer than a test: only lb-syncer ends what waits here. */
const LONG_MS = 120_000;

let lab: Lab;
let silent: SilentNode;
afterEach(async () => {
  await silent.end();
  await lab.end();
});

/** A Master whose machine has lost its power, seen neither by Consul nor by HAProxy so far. */
async function silentMaster(timeouts: { connectMs: number; checkMs: number }): Promise<void> {
  silent = await new SilentNode('pg-9').start();
  lab = await startLab({
    timeouts: { connectMs: timeouts.connectMs },
    // So many failures are never reached: whatever takes the server down is none that was counted.
    check: { timeoutMs: timeouts.checkMs, intervalMs: 100, fall: 1000 },
  });
  await lab.cluster.join(lab.nodes[1], 'Replica');
  await lab.cluster.acquire(silent);
  lab.startSyncer();
  await eventually('the master port leads to it', masterStat, (stat) => stat.status !== 'MAINT');
}

const masterStat = async () => {
  const stats = await lab.haproxy.runtime.run(showStat({ kinds: ['server'] }));
  const stat = stats.find(({ name }) => name === 'master0');
  if (stat === undefined) throw new Error('no server master0');
  return stat;
};

async function nextRuns(): Promise<void> {
  await lab.cluster.setRole(lab.nodes[1], 'Master');
  await lab.cluster.acquire(lab.nodes[1]);
  await eventually(
    'the master port leads to the next Master',
    () => reached(lab.haproxy.masterPort),
    (node) => node === 'pg-1',
  );
}

describe('a Master that does not answer any more, with real Consul and HAProxy', () => {
  it('keeps no client that was just connecting to it: they are closed when it is Master no longer', async () => {
    await silentMaster({ connectMs: LONG_MS, checkMs: LONG_MS });
    const reachedBy: (string | null)[] = [];
    for (let count = 0; count < 3; count += 1) {
      void LabConnection.open(lab.haproxy.masterPort).then(({ node }) => reachedBy.push(node));
    }
    await eventually('they are being connected', masterStat, ({ currentSessions }) => currentSessions === 3);
    await lab.cluster.write(silent, 'waiting');
    await eventually('they are closed', () => reachedBy.length === 3);
    expect(reachedBy).toEqual([null, null, null]);
    await nextRuns();
  });

  it('takes the next Master’s server not down by a check of the old address that ends late', async () => {
    await silentMaster({ connectMs: 1000, checkMs: 2000 });
    await eventually('it is being checked', masterStat, ({ fields }) =>
      (fields.get('check_status') ?? '').startsWith('*'),
    );
    await nextRuns();
    const failed = async () => Number((await masterStat()).fields.get('chkfail'));
    await eventually('the check of the old address has failed', failed, (count) => count > 0);
    await eventually('the next Master is checked', masterStat, ({ fields }) => fields.get('check_status') === 'L7OK');
    expect(lab.haproxy.server.output).not.toContain('Server master/master0 is DOWN');
  });
});
