import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkHistory, readHistory } from '@ha-postgres/checker';
import { loadOn } from './load';
import { newMaster } from './wait-for';
import { withCluster } from './with-cluster';

const MORE_WRITES = 50;

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'hapg-checker-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

it('the checker finds nothing wrong on a cluster whose Master’s PostgreSQL is killed, and knows the terms of both Masters', () =>
  withCluster({}, async (cluster) => {
    const historyFile = join(directory, 'history.jsonl');
    const load = await loadOn(cluster, { probeEveryMs: 200, historyFile });
    await load.moreWrites(MORE_WRITES);
    const old = cluster.master?.name ?? '';
    await cluster.kill(`${old}/postgres`);
    const { name: next } = await newMaster(cluster, old);
    await load.moreWrites(MORE_WRITES);

    const verdict = await load.finish();
    expect(verdict.violations).toEqual([]);
    expect(verdict).toMatchObject({ lost: [], late: [], writersAtOnceMax: 1, unseenNodes: [] });
    expect(verdict.writers).toMatchObject([
      { node: old, term: 1, timeline: 1 },
      { node: next, term: 2, timeline: 2 },
    ]);
    expect(checkHistory(readHistory(historyFile))).toEqual(verdict);
  }));
