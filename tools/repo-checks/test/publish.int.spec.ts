import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { LIBS } from '../src/projects';
import { ROOT } from '../src/repository';
import { UserProject, type Packed } from './published';
import { haproxyComplaints, startConsul, startHaproxy, startPostgres } from './real-servers';
import { Server } from './server';
import { freePorts } from './temporary';

const INSTALL_LIMIT_MS = 300_000;

const project = new UserProject();
let packed: readonly Packed[] = [];

const nameOf = (packageName: string): string => packageName.replace('@ha-postgres/', '');

beforeAll(async () => {
  packed = await project.pack(LIBS);
  await project.install(packed);
}, INSTALL_LIMIT_MS);

afterAll(() => project.remove());

test('every library packs its code, its types and its README, and nothing that only this repository needs', () => {
  expect(packed.map(({ name }) => nameOf(name)).sort()).toEqual(LIBS.map(({ name }) => name).sort());
  for (const { name, files } of packed) {
    const paths = files.map(({ path }) => path);
    expect({ name, paths }).toEqual({
      name,
      paths: expect.arrayContaining(['package.json', 'README.md', 'dist/index.js', 'dist/index.d.ts']) as string[],
    });
    const strange = paths.filter(
      (path) => !/^(?:package\.json|README\.md|LICENSE|dist\/.+|example\/.+\.ts)$/.test(path),
    );
    const tests = paths.filter((path) => /\.spec\.|\.tgz$/.test(path));
    expect({ name, strange, tests }).toEqual({ name, strange: [], tests: [] });
  }
});

test('what is packed was built from the sources as they are', () => {
  for (const { folder } of LIBS) {
    const maps = packedMaps(folder);
    expect(maps.length).toBeGreaterThan(0);
    for (const { file, source } of maps) expect({ file, text: source.text }).toEqual({ file, text: source.now });
  }
});

test('the installed packages are those that were packed, not links into the repository', () => {
  for (const { name, version } of packed) {
    const place = realpathSync(join(project.folder, 'node_modules', name));
    expect(place.startsWith(ROOT)).toBe(false);
    const manifest = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as { version: string };
    expect(manifest.version).toBe(version);
  }
});

test('a project of its own that imports all of them type-checks strictly, and its examples too', async () => {
  const all = packed.map(({ name }, i) => `import * as lib${i} from '${name}';`);
  const used = packed.map((_, i) => `lib${i}`).join(', ');
  // An import whose types were not found would be `any`, to which everything can be assigned.
  const notAny = packed.map((_, i) => `export const known${i}: 0 extends 1 & typeof lib${i} ? never : true = true;`);
  project.write('src/all.ts', [...all, ...notAny, `export const libraries = [${used}];`, ''].join('\n'));
  project.write(
    'src/testing.ts',
    "import { FakeConsul, VirtualClock } from '@ha-postgres/consul-election/testing';\nexport const fakes = [FakeConsul, VirtualClock];\n",
  );
  for (const { name } of packed) project.write(`src/${nameOf(name)}.ts`, project.exampleOf(name));
  expect(await project.compile()).toBe('');
  await expect(project.run('all')).resolves.toBe('');
  await expect(project.run('testing')).resolves.toBe('');
});

test('a project of its own that uses a library wrongly does not compile', async () => {
  project.write(
    'src/wrong.ts',
    "import { parseLsn } from '@ha-postgres/lsn';\nexport const lsn: string = parseLsn(7);\n",
  );
  const complaints = await project.compile();
  expect(complaints).toContain('src/wrong.ts(2,14): error TS2322');
  expect(complaints).toContain('src/wrong.ts(2,37): error TS2345');
  project.write('src/wrong.ts', 'export {};\n');
});

/** How each library's example is run, and what shows that it did what its README says. */
const EXAMPLES: Readonly<Record<string, () => Promise<void>>> = {
  lsn: async () => {
    expect(await project.run('lsn')).toBe('0/75B67F0 is 120 bytes behind\n');
  },

  'lean-http': async () => {
    const { port } = await freePorts('port');
    const url = `http://127.0.0.1:${port}/hello`;
    const program = `require('node:http').createServer((q, r) => r.setHeader('content-type', 'text/plain').end(q.url)).listen(${port}, '127.0.0.1')`;
    const server = await Server.start({
      name: 'http',
      command: () => [process.execPath, '-e', program],
      isReady: () => fetch(url).then(() => true),
    });
    try {
      const lines = (await project.run('lean-http', [url])).trim().split('\n');
      expect(lines).toEqual(Array.from({ length: 10 }, (_, i) => `${i + 1}: 200 text/plain, 6 characters`));
    } finally {
      await server.stop();
    }
  },

  'haproxy-config': async () => {
    const configuration = await project.run('haproxy-config');
    expect(configuration).toContain('server master0');
    expect(haproxyComplaints(project.folder, configuration)).toBe('');
  },

  'haproxy-runtime': async () => {
    const { server, socket } = await startHaproxy();
    try {
      expect(await project.run('haproxy-runtime', [socket, '127.0.0.7'])).toBe('127.0.0.7:5432 is running\n');
    } finally {
      await server.stop();
    }
  },

  'consul-election': async () => {
    const { server, address } = await startConsul();
    try {
      const said = await project.run('consul-election', [], { CONSUL_HTTP_ADDR: address });
      expect(said.trim().split('\n')).toEqual([1, 2, 3].map((tick) => `leader of term 1: tick ${tick}`));
    } finally {
      await server.stop();
    }
  },

  'pg-health': async () => {
    const { server, environment } = await startPostgres();
    try {
      expect(await project.run('pg-health', [], environment)).toMatch(/^Master on timeline 1 at 0\/[0-9A-F]+\n$/);
    } finally {
      await server.stop();
    }
    expect(await project.run('pg-health', [], environment)).toContain('not alive: refused');
  },

  'service-kit': async () => {
    const { port } = await freePorts('port');
    const ask = () => fetch(`http://127.0.0.1:${port}/`).then((answer) => answer.text());
    const server = await Server.start({
      name: 'hello',
      command: () => [process.execPath, project.compiled('service-kit'), '--port', String(port)],
      isReady: () => ask().then(() => true),
    });
    try {
      expect(await ask()).toBe('hello\n');
    } finally {
      await server.stop();
    }
    expect(server.output).toContain('hello.listening');
  },

  'cluster-state': async () => {
    const [readable, unreadable] = (await project.run('cluster-state')).split('\n');
    expect(readable).toBe('service/postgres/master: ha-postgres-2 (slot 2) at 10.0.0.7:5432');
    expect(unreadable).toContain('service/postgres/master: nobody: ');
  },

  failover: async () => {
    expect(await project.run('failover')).toMatch(/^candidateTakesAFreeLock: Replica, \[\{"type":"acquire","term":5,/);
  },
};

test.each(LIBS.map(({ name }) => [name]))('the example of %s runs there', async (name) => {
  expect(Object.keys(EXAMPLES)).toContain(name);
  expect(existsSync(project.compiled(name))).toBe(true);
  await EXAMPLES[name]?.();
});

interface PackedMap {
  readonly file: string;
  readonly source: { readonly text: string; readonly now: string };
}

/** Each source map of a built library, with the source that it holds and the one that lies in the repository. */
function packedMaps(folder: string): PackedMap[] {
  const installed = join(project.folder, 'node_modules', `@ha-postgres/${nameOf(folder.replace('libs/', ''))}`);
  const files = packed.find(({ name }) => name === `@ha-postgres/${folder.replace('libs/', '')}`)?.files ?? [];
  return files
    .filter(({ path }) => path.endsWith('.js.map'))
    .map(({ path }) => {
      const map = JSON.parse(readFileSync(join(installed, path), 'utf8')) as { sourcesContent: readonly string[] };
      const source = join(ROOT, folder, path.replace(/^dist\//, 'src/').replace(/\.js\.map$/, '.ts'));
      const now = existsSync(source) ? readFileSync(source, 'utf8') : 'nothing: its source is gone';
      return { file: `${folder}/${path}`, source: { text: map.sourcesContent[0] ?? '', now } };
    });
}
