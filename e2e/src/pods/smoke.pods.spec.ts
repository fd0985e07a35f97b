import type { Verdict } from '@ha-postgres/checker';
import { chartStory, tellFigure } from './chart-story';
import { loadOnChart } from './chart-load';
import { NODES, PORTS, type InstalledChart } from './installed-chart';
import { pairsToRun } from './pods-images';
import { eventually } from '../wait-for';

/** Writes before and after what happens to the Master. */
const WRITES = 100;
/** Asynchronous replication: what was acknowledged in the last moment and had not been sent is lost with the node. */
const LOST_MAX = 10;

// The other stories are told on trixie alone; what concerns the programs' versions on both pairs.
for (const suite of pairsToRun()) {
  chartStory(`The chart with its default values, on ${suite}`, { suite }, (sentence) => {
    sentence('every pod becomes ready, with the containers that its users know', ({ cluster }) => {
      expect(cluster.pods.every(({ isReady }) => isReady)).toBe(true);
      expect(cluster.podsOf(NODES).map(({ name }) => name)).toEqual([
        'ha-postgres-0',
        'ha-postgres-1',
        'ha-postgres-2',
      ]);
      const { consul, postgres, controller, 'role-server': roleServer } = cluster.pod('ha-postgres-0').restarts;
      expect({ consul, postgres, controller, roleServer }).toEqual({
        consul: 0,
        postgres: 0,
        controller: 0,
        roleServer: 0,
      });
    });

    sentence('what is written through 5432 is read through 5433, from a Replica', async (chart) => {
      await chart.query('CREATE TABLE visits (place text)');
      await chart.query("INSERT INTO visits VALUES ('first')");
      await eventually('the row to be read on a Replica', async () => {
        const rows = await chart.query<{ place: string; r: boolean }>(
          'SELECT place, pg_is_in_recovery() AS r FROM visits',
          PORTS.standby,
        );
        return rows.length === 1 && rows[0]?.r === true;
      });
    });

    sentence('helm test succeeds', async (chart) => {
      const ends = await chart.test();
      expect(ends).toHaveLength(1);
      expect(ends[0]?.output).toContain('port 5433: read on a Replica');
      expect(ends[0]?.exitCode).toBe(0);
    });

    sentence('a Master whose pod is deleted hands over first, and loses nothing', async (chart) => {
      const { old, next, verdict } = await whileWriting(chart, async (master) => {
        const { hooks } = await chart.cluster.delete(master);
        expect(hooks.map(({ container, status }) => ({ container, status }))).toEqual([
          { container: 'postgres', status: 0 },
        ]);
        expect(hooks[0]?.stdout).toMatch(/^ha-postgres-\d is Master of term 2/);
      });
      expect(verdict.violations).toEqual([]);
      tellFigure(
        `${suite}: pod deleted with grace: ${old} -> ${next}, write outage ${Math.round(verdict.writeOutageMs ?? 0)} ms`,
      );
    });

    sentence('when the Master’s pod is killed, a Replica takes over; it returns as a Replica', async (chart) => {
      const { old, next, verdict } = await whileWriting(chart, (master) => chart.cluster.kill(master), LOST_MAX);
      expect(verdict.violations).toEqual([]);
      const lost = verdict.lost?.length ?? 0;
      tellFigure(
        `${suite}: pod killed: ${old} -> ${next}, write outage ${Math.round(verdict.writeOutageMs ?? 0)} ms, ${lost} lost`,
      );
    });
  });
}

/** Lets something happen to the Master while a client writes; then another node is Master, and the old one is back. */
async function whileWriting(
  chart: InstalledChart,
  happens: (master: string) => Promise<unknown>,
  allowLost = 0,
): Promise<{ old: string; next: string; verdict: Verdict }> {
  const old = await eventually('a Master', () => chart.master());
  const load = await loadOnChart(chart);
  try {
    await load.moreWrites(WRITES);
    await happens(old);
    await load.moreWrites(WRITES);
    await chart.cluster.settled();
    const next = await eventually('a Master', () => chart.master());
    expect(next).not.toBe(old);
    expect((await chart.status(old))?.role).toBe('Replica');
    const verdict = await load.finish({ allowLost });
    return { old, next, verdict };
  } finally {
    await load.stop();
  }
}
