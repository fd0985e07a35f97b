import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processesUnder, type Report } from '@ha-postgres/local-cluster';
import { runDemo } from './run-demo';

describe.each(['kill-master', 'kill-node', 'freeze-node'] as const)('the demo with %s', (scenario) => {
  let workdir: string;
  beforeEach(() => (workdir = realpathSync(mkdtempSync(join(tmpdir(), 'hapg-demo-')))));
  afterEach(() => rmSync(workdir, { recursive: true, force: true }));

  it('shows a new Master that takes writes, says what was lost, and leaves no process behind', async () => {
    const json = join(workdir, 'out.json');
    const { code, output } = await runDemo(['--once', '--scenario', scenario, '--workdir', workdir, '--json', json]);
    // The output tells why, if it is not so.
    expect(code === 0 ? '' : output).toBe('');
    const report = JSON.parse(readFileSync(json, 'utf8')) as Report;
    expect(report).toMatchObject({ scenario });
    expect(report.newMaster).not.toBe(report.oldMaster);
    expect(report.acknowledgedLost).not.toBeNull();
    expect(report.attempts).toBeGreaterThan(report.failed);
    if (scenario === 'kill-master') {
      // By itself, and without having lost anything: what it had not sent was fetched from it.
      expect([report.acknowledgedLost, report.oldMasterBlocked]).toEqual([0, null]);
      expect(report.timings.rejoinedMs).not.toBeNull();
      expect(output).toContain('is back: it streams as a Replica, by itself');
    } else {
      // Either it is back as well, or it says which commits it holds that nobody else has.
      expect(report.timings.rejoinedMs === null).toBe(report.oldMasterBlocked !== null);
    }
    expect(processesUnder(workdir)).toEqual([]);
  });
});
