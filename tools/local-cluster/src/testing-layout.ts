import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLayout, type Layout } from './layout';

/** For tests: calls `use` with the layout of a small cluster in a directory that is removed afterwards. */
export async function withLayout<T>(use: (layout: Layout) => T | Promise<T>, workdir?: string): Promise<T> {
  const made = mkdtempSync(join(tmpdir(), 'hapg-layout-'));
  try {
    const options = { nodes: 2, loadBalancers: 1, consulServers: 3, workdir: workdir ?? made, settings: {} };
    return await use(await openLayout(options));
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}
