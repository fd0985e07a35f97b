import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onPath, processesUnder, WORKSPACE_ROOT, type Report } from '@ha-postgres/local-cluster';

const DEMO = join(WORKSPACE_ROOT, 'tools', 'local-cluster', 'dist', 'demo.js');
const TINI = onPath('tini');
const LIMIT_MS = 100_000;

interface Outcome {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the demo as its users do, under tini, and collects what it prints. */
function runDemo(...args: readonly string[]): Promise<Outcome> {
  const under = existsSync(TINI) ? [TINI, '-s', '--'] : [];
  const [command = process.execPath, ...rest] = [...under, process.execPath, DEMO, ...args];
  const child = spawn(command, rest, { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
  // Well below jest's own limit, so that the demo ends in order and its output is shown.
  const limit = setTimeout(() => child.kill('SIGTERM'), LIMIT_MS);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) =>
    child.once('close', (code) => {
      clearTimeout(limit);
      resolve({ code, output });
    }),
  );
}

describe.each(['kill-master', 'kill-node', 'freeze-node'] as const)('the demo with %s', (scenario) => {
  let workdir: string;
  beforeEach(() => (workdir = realpathSync(mkdtempSync(join(tmpdir(), 'hapg-demo-')))));
  afterEach(() => rmSync(workdir, { recursive: true, force: true }));

  it('shows a new Master that takes writes, says what was lost, and leaves no process behind', async () => {
    const json = join(workdir, 'out.json');
    const { code, output } = await runDemo('--once', '--scenario', scenario, '--workdir', workdir, '--json', json);
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
