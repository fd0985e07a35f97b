import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WORKSPACE_ROOT } from '@ha-postgres/local-cluster';
import { helmFor, kind, KubectlDoor, mustRun, runProgram, type Outcome } from '@ha-postgres/pods';
import { eventually } from '../wait-for';
import { INSTALL_MS, storyOn, tellFigure } from './chart-story';
import { InstalledChart, NODES } from './installed-chart';
import { standIns } from './pods-images';

/** What `tools/demo --json` writes, as far as it is looked at here. */
interface Shown {
  readonly writeOutageMs: number | null;
  readonly acknowledgedLost: number | null;
  readonly oldMaster: string | null;
  readonly newMaster: string | null;
}

const DEMO_MS = 120_000;
/** Asynchronous replication: what was acknowledged in the last moment and had not been sent is lost with the node. */
const LOST_MAX = 10;

storyOn(
  'tools/deploy and tools/demo, on pods that kubectl leads to',
  () => InstalledChart.awaited(),
  (sentence) => {
    const directory = mkdtempSync(join(tmpdir(), 'hapg-demo-'));
    let door: KubectlDoor | null = null;

    afterAll(async () => {
      await door?.close();
      rmSync(directory, { recursive: true, force: true });
    });

    sentence(
      'tools/deploy builds the images, brings them there and installs the chart; then all is ready',
      async ({ cluster }) => {
        door = await KubectlDoor.open(cluster);
        door.add('helm', helmFor(cluster));
        door.add('kind', kind);
        const environment = {
          ...process.env,
          ...(await standIns('trixie')),
          CONTAINER_TOOL: 'podman',
          PATH: door.path,
        };
        // A tag of its own, or each commit's images would stay on this machine.
        const args = [cluster.namespace, 'db.clusterSize=3', '--tag=pods'];
        const running = { environment, timeoutMs: INSTALL_MS };
        const said = await mustRun(join(WORKSPACE_ROOT, 'tools', 'deploy'), args, running);
        expect(said).toContain(`tools/demo --kubernetes ${cluster.namespace}`);
        expect(cluster.isSettled).toBe(true);
        const images = cluster.podsOf(NODES).map(({ planned }) => planned.spec.containers[0]?.image);
        expect(images).toEqual(Array<string>(3).fill('localhost/ha-postgres/ha-postgres:pods'));
        expect(said).toContain(`Loaded image: ${images[0] ?? '?'}`);
      },
      INSTALL_MS,
    );

    /** Runs the demo as its user does, whose kubectl is ours. */
    async function demo({ cluster }: InstalledChart, scenario: string): Promise<Shown> {
      const json = join(directory, `${scenario}.json`);
      const args = ['--kubernetes', cluster.namespace, '--once', '--scenario', scenario, '--json', json];
      await mustRun(join(WORKSPACE_ROOT, 'tools', 'demo'), args, {
        environment: { ...process.env, PATH: door?.path },
        timeoutMs: DEMO_MS,
      });
      const shown = JSON.parse(readFileSync(json, 'utf8')) as Shown;
      const { writeOutageMs, acknowledgedLost, oldMaster, newMaster } = shown;
      const went = `${oldMaster ?? '?'} -> ${newMaster ?? '?'}`;
      tellFigure(`demo ${scenario}: ${went}, write outage ${writeOutageMs ?? '?'} ms, ${acknowledgedLost ?? '?'} lost`);
      return shown;
    }

    sentence(
      'the Master’s PostgreSQL is killed by kubectl exec: another takes over, and nothing is lost',
      async (chart) => {
        const master = await eventually('a Master', () => chart.master());
        const shown = await demo(chart, 'kill-master');
        expect(shown.oldMaster).toBe(master);
        expect(shown.newMaster).toBe(await chart.master());
        expect(shown.acknowledgedLost).toBe(0);
        expect(shown.writeOutageMs).not.toBeNull();
        expect((await chart.status(master))?.role).toBe('Replica');
      },
    );

    sentence(
      'the Master’s pod is deleted without grace: another takes over, and the outage is measured',
      async (chart) => {
        const master = await eventually('a Master', () => chart.master());
        const { uid } = chart.cluster.pod(master);
        const shown = await demo(chart, 'kill-node');
        expect(shown.oldMaster).toBe(master);
        expect(shown.newMaster).not.toBe(master);
        expect(chart.cluster.pod(master).uid).not.toBe(uid);
        expect(shown.acknowledgedLost).toBeLessThanOrEqual(LOST_MAX);
        expect(shown.writeOutageMs).not.toBeNull();
      },
    );

    sentence('the Master’s pod is deleted with its grace: it hands over first, and nothing is lost', async (chart) => {
      const shown = await demo(chart, 'delete-pod');
      expect(shown.newMaster).toBe(await chart.master());
      expect(shown.newMaster).not.toBe(shown.oldMaster);
      expect(shown.acknowledgedLost).toBe(0);
    });

    sentence('a namespace without the chart is said to be so, in the words of kubectl', async () => {
      const environment = { ...process.env, PATH: door?.path };
      const { status, stderr }: Outcome = await runProgram(
        join(WORKSPACE_ROOT, 'tools', 'demo'),
        ['--kubernetes', 'elsewhere', '--once'],
        { environment, timeoutMs: DEMO_MS },
      );
      expect(status).toBe(1);
      expect(stderr).toContain('namespaces "elsewhere" not found');
    });
  },
);
