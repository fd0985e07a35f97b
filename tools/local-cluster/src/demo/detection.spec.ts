import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { firstDetection } from './detection';

const STRUCK = Date.parse('2026-01-01T00:00:00.000Z');

describe('the detection of a fault', () => {
  let logs: string;
  beforeEach(() => (logs = mkdtempSync(join(tmpdir(), 'hapg-logs-'))));
  afterEach(() => rmSync(logs, { recursive: true }));

  const write = (file: string, ...lines: readonly (readonly [afterMs: number, fields: object])[]) => {
    const text = lines.map(([afterMs, fields]) =>
      JSON.stringify({ time: new Date(STRUCK + afterMs).toISOString(), ...fields }),
    );
    writeFileSync(join(logs, file), text.join('\n'));
  };
  const exited = { event: 'postgres.exited' };
  const candidate = { event: 'rule.changed', rule: 'candidateTakesOverALeaseThatRanOut' };

  it('is the end of PostgreSQL as the old Master’s own runner saw it, after the fault', () => {
    write('node0-postgres-runner.log', [-5, exited], [14, exited]);
    write('node1-postgres-runner.log', [3, exited]);
    expect(firstDetection('kill-master', 'node0', logs, STRUCK)).toBe(STRUCK + 14);
  });

  it('is the first candidacy of another node where the old Master’s node is gone', () => {
    write('node0-db-controller.log', [10, candidate]);
    write('node1-db-controller.log', [3_310, candidate]);
    write(
      'node2-db-controller.log',
      [20, { event: 'rule.changed', rule: 'replicaFollowsTheRunningMaster' }],
      [3_300, candidate],
    );
    expect(firstDetection('kill-node', 'node0', logs, STRUCK)).toBe(STRUCK + 3_300);
  });

  it('is unknown when nobody wrote of it', () => {
    write('node1-db-controller.log', [-1, candidate]);
    expect(firstDetection('freeze-node', 'node0', logs, STRUCK)).toBeNull();
  });
});
