import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { WORKSPACE_ROOT } from '@ha-postgres/local-cluster';
import { images } from '../src/tools';
import { buildImages, type Built } from './built-images';
import { RESTRICTED, podman, tryPodman } from './podman';

const BUILD_MS = 900_000;
const { version } = JSON.parse(readFileSync(join(WORKSPACE_ROOT, 'package.json'), 'utf8')) as { version: string };

let built: Built;
beforeAll(() => {
  built = buildImages();
}, BUILD_MS);

const tagOf = (name: string): string => built.tags[name] ?? '';

/** Runs a command in an image as a restricted pod would. */
const inImage = (name: string, command: string, ...args: readonly string[]): string =>
  podman('run', '--rm', '--network=none', ...RESTRICTED, `--entrypoint=${command}`, tagOf(name), ...args);

/** What `find` finds in an image, also where only root may look. */
const foundIn = (name: string, ...search: readonly string[]): string =>
  podman('run', '--rm', '--network=none', '--user=0', '--entrypoint=find', tagOf(name), ...search);

const NAMES = Object.keys(images());

describe.each(NAMES)('the image %s', (name) => {
  test('runs as an account that is not root, which Kubernetes can see by its number', () => {
    expect(podman('image', 'inspect', '--format={{.Config.User}}', tagOf(name))).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(inImage(name, 'id', '-u')).not.toBe('0');
  });

  test('says what it is, of which commit, and what it stands on', () => {
    const labels = JSON.parse(podman('image', 'inspect', '--format={{json .Config.Labels}}', tagOf(name))) as Record<
      string,
      string
    >;
    const label = (key: string): string | undefined => labels[`org.opencontainers.image.${key}`];
    expect(label('title')).toBe(name);
    expect(label('version')).toBe(version);
    expect(label('licenses')).toBe('Apache-2.0');
    expect(label('description')).toMatch(/PostgreSQL|ha-postgres/);
    expect(label('revision')).toMatch(/^[0-9a-f]{40}(-changed)?$/);
    expect(Date.parse(label('created') ?? '')).not.toBeNaN();
    expect(label('base.name')).toMatch(name === 'ha-postgres' ? /postgres:/ : /node-with-npm:/);
  });

  test('says its version on a root file system that nobody can write to', () => {
    const said = podman('run', '--rm', '--network=none', ...RESTRICTED, tagOf(name), '--version');
    expect(said).toContain(version);
    expect(tryPodman('run', '--rm', ...RESTRICTED, '--entrypoint=touch', tagOf(name), '/opt/x')).toMatchObject({
      stderr: expect.stringMatching(/Read-only file system|Permission denied/) as string,
    });
  });

  test('refuses to start with an option that it does not know', () => {
    const { status, stderr, stdout } = tryPodman(
      'run',
      '--rm',
      '--network=none',
      ...RESTRICTED,
      tagOf(name),
      '--no-such',
    );
    expect(status).not.toBe(0);
    expect(`${stdout}${stderr}`).toContain('no-such');
  });

  test('holds nothing that installs packages or compiles', () => {
    const names = [
      'npm',
      'npx',
      'yarn',
      'yarnpkg',
      'pnpm',
      'corepack',
      'gcc',
      'cc',
      'g++',
      'c++',
      'clang',
      'make',
      'as',
      'ld',
    ];
    const search = names.flatMap((one, index) => [...(index > 0 ? ['-o'] : []), '-name', one]);
    // libstdc++ has a folder of that name for debuggers.
    expect(foundIn(name, '/', '-xdev', '-not', '-path', '/usr/share/gcc', '(', ...search, ')')).toBe('');
    expect(foundIn(name, '/usr/local', '-name', 'node.h')).toBe('');
  });

  test('lists the parts of every bundle that it holds', () => {
    const bundles = inImage(name, 'ls', '/opt/ha-postgres').split('\n');
    expect(bundles.length).toBeGreaterThan(0);
    for (const bundle of bundles) {
      const app = bundle.replace(/\.js$/, '');
      const listed = partsIn(inImage(name, 'cat', `/usr/share/doc/ha-postgres/${app}.cdx.json`));
      const packages = packagesOf(app);
      expect(packages.length).toBeGreaterThan(0);
      expect(listed).toEqual(expect.arrayContaining(packages));
    }
  });
});

test('what the images add to their bases is within the limits', () => {
  const { status, stdout, stderr } = spawnSync(join(WORKSPACE_ROOT, 'tools', 'image-sizes'), ['--json'], {
    encoding: 'utf8',
    env: built.environment,
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const sizes = JSON.parse(stdout) as { image: string; megabytes: number }[];
  expect(sizes.map(({ image }) => image)).toEqual(NAMES.map((name) => tagOf(name)));
  // An image that added nothing would not be ours.
  for (const { megabytes } of sizes) expect(megabytes).toBeGreaterThan(0.5);
});

test('Node.js and tini, which no package of the image tells of, are listed with their versions', () => {
  const listed = JSON.parse(inImage('ha-postgres', 'cat', '/usr/share/doc/ha-postgres/programs.cdx.json')) as Bom;
  const versions = Object.fromEntries(listed.components.map(({ name, version: one }) => [name, one]));
  expect(inImage('ha-postgres', 'node', '--version')).toBe(`v${versions.node ?? '?'}`);
  expect(inImage('ha-postgres', 'tini', '--version')).toContain(` ${versions.tini ?? '?'}`);
  expect(listed.components[0]?.components?.map(({ name }) => name)).toContain('node:openssl');
});

test('hapg is there for whoever looks after the cluster, and for a pod that ends', () => {
  expect(inImage('db-controller', 'hapg', '--version')).toContain(version);
  expect(inImage('ha-postgres', 'hapg', '--version')).toContain(version);
});

test('PostgreSQL’s programs are on the PATH of its image', () => {
  const major = /postgres:(\d+)/.exec(built.bases.POSTGRES_IMAGE ?? '')?.[1];
  for (const program of ['postgres', 'initdb', 'pg_basebackup', 'pg_rewind', 'pg_waldump', 'psql']) {
    expect(inImage('ha-postgres', program, '--version')).toContain(`(PostgreSQL) ${major ?? '?'}.`);
  }
});

describe('the stand-ins', () => {
  test.each([
    ['POSTGRES_IMAGE', 'postgres', '999:999'],
    ['NODE_IMAGE', 'node', '1000:1000'],
    ['HAPROXY_IMAGE', 'haproxy', '99:99'],
    ['CONSUL_IMAGE', 'consul', '100:1000'],
  ])('%s has the account %s with the number %s that the official image gives it', (image, account, number) => {
    const passwd = podman('run', '--rm', '--entrypoint=cat', built.bases[image] ?? '', '/etc/passwd');
    expect(passwd).toMatch(new RegExp(`^${account}:[^:]*:${number}:`, 'm'));
  });

  test('HAProxy runs in the foreground as its account, with the configuration at the official place', () => {
    const config = '/usr/local/etc/haproxy/haproxy.cfg';
    const refused = tryPodman('run', '--rm', '--network=none', ...RESTRICTED, built.bases.HAPROXY_IMAGE ?? '');
    expect(refused.status).not.toBe(0);
    expect(`${refused.stdout}${refused.stderr}`).toContain(config);
  });

  test('Consul is found by its sub-commands', () => {
    expect(podman('run', '--rm', '--network=none', built.bases.CONSUL_IMAGE ?? '', 'version')).toMatch(/^Consul v1\./);
  });
});

interface Bom {
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
}

interface Component {
  readonly name: string;
  readonly group?: string;
  readonly version?: string;
  readonly components?: readonly Component[];
}

function partsIn(bom: string): string[] {
  const { metadata, components } = JSON.parse(bom) as Bom;
  return [metadata.component, ...components].map(({ group, name }) =>
    group === undefined ? name : `${group}/${name}`,
  );
}

/** The npm packages whose files esbuild put into an application's bundle. */
function packagesOf(app: string): string[] {
  const { inputs } = JSON.parse(readFileSync(join(WORKSPACE_ROOT, 'apps', app, 'dist', 'meta.json'), 'utf8')) as {
    inputs: Record<string, unknown>;
  };
  const names = Object.keys(inputs).flatMap((path) => {
    const name = /.*node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
    return name === undefined ? [] : [name];
  });
  return [...new Set(names)];
}
