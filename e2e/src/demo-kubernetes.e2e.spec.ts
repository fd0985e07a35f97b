import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WORKSPACE_ROOT, type ClusterFile, type Report } from '@ha-postgres/local-cluster';
import { runDemo, type Outcome } from './run-demo';
import { sharedCluster } from './shared-cluster';

const shared = sharedCluster({ nodePrefix: 'ha-postgres-' });

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'hapg-kubectl-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A kubectl for that cluster, found on the PATH before any other; answers the environment to find it. */
function kubectlFor({ workdir }: ClusterFile): Record<string, string> {
  const bin = join(directory, 'bin');
  mkdirSync(bin);
  const file = join(bin, 'kubectl');
  writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${join(__dirname, 'kubectl-stand-in.cjs')}' "$@"\n`);
  chmodSync(file, 0o755);
  return {
    PATH: `${bin}:${process.env.PATH ?? ''}`,
    CLUSTER_FILE: join(workdir, 'cluster.json'),
    ROOT: WORKSPACE_ROOT,
  };
}

async function show(cluster: ClusterFile, scenario: string): Promise<{ report: Report } & Outcome> {
  const json = join(directory, 'out.json');
  const args = ['--kubernetes', 'trial', '--once', '--scenario', scenario, '--json', json];
  const outcome = await runDemo(args, kubectlFor(cluster));
  // The output tells why, if it is not so.
  expect(outcome.code === 0 ? '' : outcome.output).toBe('');
  return { ...outcome, report: JSON.parse(readFileSync(json, 'utf8')) as Report };
}

describe('the demo of an installation on Kubernetes, by kubectl', () => {
  shared.story(
    'shows the death of PostgreSQL, a new Master that takes writes, and how the old one comes back',
    async (cluster) => {
      const { report, output } = await show(cluster.describe(), 'kill-master');
      expect(report.oldMaster).toMatch(/^ha-postgres-\d$/);
      expect(report.newMaster).not.toBe(report.oldMaster);
      expect(report).toMatchObject({ scenario: 'kill-master', acknowledgedLost: 0, oldMasterBlocked: null });
      expect(report.timings.rejoinedMs).not.toBeNull();
      // Nobody's logs are read there.
      expect(report.timings.detectedMs).toBeNull();
      expect(output).toContain('SIGKILL of the postmaster of');
    },
  );

  shared.story('shows a switchover by hapg, which loses nothing', async (cluster) => {
    const { report } = await show(cluster.describe(), 'switchover');
    expect(report.newMaster).not.toBe(report.oldMaster);
    expect(report).toMatchObject({ acknowledgedLost: 0, oldMasterBlocked: null });
    expect(report.timings.releasedMs).not.toBeNull();
  });

  shared.story('shows the loss of a pod, and the new pod under its name', async (cluster) => {
    const { report, output } = await show(cluster.describe(), 'kill-node');
    expect(report.newMaster).not.toBe(report.oldMaster);
    expect(output).toContain(`${report.oldMaster ?? '?'} is a new pod`);
    // Either it is back as well, or it says which commits it holds that nobody else has.
    expect(report.timings.rejoinedMs === null).toBe(report.oldMasterBlocked !== null);
  });

  shared.story('says what is wrong: no release, no such scenario there, options of another demo', async (cluster) => {
    const env = kubectlFor(cluster.describe());
    const forbidden = join(directory, 'bin', 'kubectl');
    expect((await runDemo(['--kubernetes', 'x', '--scenario', 'freeze-node'], env)).output).toContain(
      'on Kubernetes the scenarios are none, kill-master',
    );
    expect((await runDemo(['--kubernetes', 'x', '--nodes', '5'], env)).output).toContain('cannot be used with');
    expect((await runDemo(['--context', 'x'], env)).output).toContain('--context goes with --kubernetes');
    writeFileSync(forbidden, '#!/bin/sh\necho "Error from server (Forbidden)" >&2\nexit 1\n');
    const { code, output } = await runDemo(['--kubernetes', 'x', '--once'], env);
    expect([code, output]).toEqual([1, expect.stringContaining('kubectl --namespace=x get statefulsets')]);
    expect(output).toContain('Error from server (Forbidden)');
  });
});
