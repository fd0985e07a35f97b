import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openLayout } from './layout';
import { withLayout } from './testing-layout';

const portsIn = (value: unknown): number[] =>
  Object.entries(value as object).flatMap(([key, inner]: [string, unknown]) => {
    if (typeof inner === 'number' && key.endsWith('Port')) return [inner];
    return typeof inner === 'object' && inner !== null ? portsIn(inner) : [];
  });

describe('the layout of a cluster', () => {
  it('gives every listener a port of its own', async () => {
    await withLayout((layout) => {
      const ports = portsIn(layout);
      expect(ports).toHaveLength(3 * 3 + 2 * 5 + 1 * 9);
      expect(new Set(ports).size).toBe(ports.length);
      expect(Math.min(...ports)).toBeGreaterThan(1_024);
    });
  });

  it('is the same when the cluster is opened again: ports and passwords are kept', async () => {
    await withLayout(async (layout) => {
      const again = await openLayout({
        nodes: 1,
        loadBalancers: 1,
        consulServers: 1,
        workdir: layout.workdir,
        settings: {},
      });
      expect(again).toEqual(layout);
    });
  });

  it('is refused when the cluster is to have namespaces now, and was made without', async () => {
    await withLayout(async ({ workdir }) => {
      const options = { nodes: 1, loadBalancers: 1, consulServers: 1, workdir, settings: {}, netns: true };
      await expect(openLayout(options)).rejects.toThrow(
        /was made without --netns|need root|need Linux|need the programs/,
      );
    });
  });

  it('keeps its passwords from other users', async () => {
    await withLayout(({ workdir, clusterSecret }) => {
      const file = join(workdir, 'layout.json');
      expect(readFileSync(file, 'utf8')).toContain(clusterSecret);
      expect(statSync(file).mode & 0o077).toBe(0);
    });
  });

  it('says which file is broken', async () => {
    const workdir = mkdtempSync(join(tmpdir(), 'hapg-layout-'));
    try {
      writeFileSync(join(workdir, 'layout.json'), '{');
      await expect(openLayout({ nodes: 1, loadBalancers: 1, consulServers: 1, workdir, settings: {} })).rejects.toThrow(
        join(workdir, 'layout.json'),
      );
    } finally {
      rmSync(workdir, { recursive: true });
    }
  });

  it('refuses a directory too deep for the path of a socket', async () => {
    const deep = join(mkdtempSync(join(tmpdir(), 'hapg-layout-')), 'x'.repeat(90));
    await expect(withLayout(() => undefined, deep)).rejects.toThrow('too deep');
    rmSync(join(deep, '..'), { recursive: true });
  });
});
