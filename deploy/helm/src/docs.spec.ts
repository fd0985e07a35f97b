import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { CHART, helm } from './testing/render';

const ROOT = join(CHART, '..', '..', '..');

test('README and schema say what values.yaml and the option lists of the services say', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(CHART, '..', 'chart-docs.mjs'), '--check'], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test('every option of a service is either a value, or one that the chart sets itself: none is forgotten', () => {
  // The schema lists what users may set; the rest stands in chart-docs.mjs, which fails on one that there is not.
  const schema = readFileSync(join(CHART, 'values.schema.json'), 'utf8');
  const own = readFileSync(join(CHART, '..', 'chart-docs.mjs'), 'utf8');
  for (const service of ['db-controller', 'postgres-runner', 'role-server', 'lb-syncer']) {
    const page = readFileSync(join(ROOT, 'docs', 'config', `${service}.md`), 'utf8');
    const flags = [...page.matchAll(/^\| `--([a-z-]+?)(?:-file)?` /gm)].map(([, flag]) => flag ?? '');
    expect(flags.length).toBeGreaterThan(3);
    const names = flags.map((flag) => flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()));
    const lost = names.filter((name) => !schema.includes(`"${name}"`) && !own.includes(`'${name}'`));
    expect(lost).toEqual([]);
  }
});

test('the chart has the version of what it installs', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  const chart = parse(readFileSync(join(CHART, 'Chart.yaml'), 'utf8')) as { version: string; appVersion: string };
  expect(chart).toMatchObject({ version, appVersion: version });
  const values = parse(readFileSync(join(CHART, 'values.yaml'), 'utf8')) as Parts;
  const { db, lb } = values;
  for (const image of [db.postgres.image, db.controller.image, db.roleServer.image, lb.syncer.image]) {
    expect(image).toMatch(new RegExp(`^ha-postgres/[a-z-]+:${version.replaceAll('.', '\\.')}$`));
  }
});

test('a Kubernetes whose sidecars would not outlive the main container is refused', () => {
  const run = (version: string) => helm(['template', 'trial', CHART, '--kube-version', version]);
  expect(run('1.29.0').status).toBe(0);
  expect(run('1.28.9')).toMatchObject({ status: 1, stderr: expect.stringContaining('>=1.29.0') as string });
});

test('its images are those that deploy/docker makes, with what the scripts ask of them', () => {
  const dockerfile = readFileSync(join(ROOT, 'deploy', 'docker', 'Dockerfile'), 'utf8');
  const values = readFileSync(join(CHART, 'values.yaml'), 'utf8');
  const images = [...values.matchAll(/image: ha-postgres\/([a-z-]+):/g)].map(([, name]) => name ?? '');
  expect(images.sort()).toEqual(['db-controller', 'ha-postgres', 'lb-syncer', 'role-server']);
  for (const image of images) expect(dockerfile).toMatch(new RegExp(`^FROM \\S+ AS ${image}$`, 'm'));
  // wait-pgdata-empty looks for /proceed, hand-over asks hapg.
  expect(dockerfile).toContain('/run/ha-postgres/proceed /proceed');
  expect(dockerfile).toMatch(/hapg\.js \/usr\/local\/bin\/hapg/);
});

interface Parts {
  readonly db: Readonly<Record<'postgres' | 'controller' | 'roleServer', { readonly image: string }>>;
  readonly lb: { readonly syncer: { readonly image: string } };
}

describe('what is said after an installation', () => {
  const notes = (values = {}): string => {
    const { status, stdout, stderr } = helm(
      ['install', 'trial', CHART, '--namespace', 'db', '--dry-run=client'],
      values,
    );
    if (status !== 0) throw new Error(stderr);
    return stdout.slice(stdout.indexOf('NOTES:'));
  };

  test('is where to connect, where the password is, and how to look', () => {
    const said = notes();
    for (const part of [
      'postgres.db.svc:5432   the Master',
      'postgres.db.svc:5433   the Replicas',
      'get secret ha-postgres -o jsonpath',
      'exec ha-postgres-0 -- hapg status',
      'helm -n db test trial',
    ]) {
      expect(said).toContain(part);
    }
    expect(said).not.toMatch(/one node only|OnDelete|subscribes/);
  });

  test('names what is particular: one node, OnDelete, another Secret, a seed', () => {
    const said = notes({
      db: {
        ...{ clusterSize: 1, updateStrategy: 'OnDelete', existingSecret: 'mine' },
        seedDb: { host: 'old', name: 'shop', user: 'u' },
      },
    });
    for (const part of ['one node only', 'is OnDelete', 'get secret mine', 'subscribes to shop at old']) {
      expect(said).toContain(part);
    }
  });
});
