import { APPS, LIBS, PROJECTS } from './projects';
import { FILES, read } from './repository';

const EVERY = ['build', 'lint', 'test', 'typecheck'];

test('the workspace has libraries, services and what tests them', () => {
  expect(LIBS.length).toBeGreaterThanOrEqual(8);
  expect(APPS.map(({ name }) => name).sort()).toEqual([
    'db-controller',
    'hapg',
    'lb-syncer',
    'postgres-runner',
    'role-server',
  ]);
});

test.each(PROJECTS.map((project) => [project.folder, project] as const))(
  '%s has one tag for its type and one for its scope',
  (_folder, { manifest }) => {
    const tags = manifest.nx.tags ?? [];
    expect(tags.map((tag) => tag.split(':')[0]).sort()).toEqual(['scope', 'type']);
  },
);

test.each([...LIBS, ...APPS].map((project) => [project.folder, project] as const))(
  '%s can be built, linted, tested and type-checked',
  (_folder, { manifest }) => {
    expect(Object.keys(manifest.nx.targets ?? {})).toEqual(expect.arrayContaining(EVERY));
  },
);

test('every other project is linted, type-checked and has tests of its own layer', () => {
  for (const { folder, kind, manifest } of PROJECTS) {
    if (kind !== 'other') continue;
    const targets = Object.keys(manifest.nx.targets ?? {});
    expect({ folder, targets }).toEqual({ folder, targets: expect.arrayContaining(['lint', 'typecheck']) as string[] });
    expect({ folder, tests: targets.filter((target) => /^(test|integration|e2e)$/.test(target)) }).not.toEqual({
      folder,
      tests: [],
    });
  }
});

test('a project has a target for every layer that it has tests of, and no test lies where none looks', () => {
  const layerOf = (path: string): string => {
    const [, layer = 'test'] = /\.(e2e|fault|pods|image|int)\.spec\.ts$/.exec(path) ?? [];
    return { image: 'images', int: 'integration' }[layer] ?? layer;
  };
  for (const path of FILES.filter((file) => file.endsWith('.spec.ts'))) {
    const project = PROJECTS.find(({ folder }) => path.startsWith(`${folder}/`));
    const layer = layerOf(path);
    const place = layer === 'test' || path.startsWith('e2e/') ? '/src/' : '/test/';
    expect({ path, targets: Object.keys(project?.manifest.nx.targets ?? {}) }).toEqual({
      path,
      targets: expect.arrayContaining([layer]) as string[],
    });
    expect(path.includes(place) ? null : path).toBeNull();
  }
});

test('the publish test knows every project that it needs built', () => {
  const own = PROJECTS.find(({ name }) => name === 'repo-checks');
  expect([...(own?.manifest.nx.implicitDependencies ?? [])].sort()).toEqual(
    [...LIBS, ...APPS].map(({ name }) => name).sort(),
  );
});

test('libraries can be published: the licence of the repository, and no dependency that is not published itself', () => {
  const { license } = JSON.parse(read('package.json')) as { license: string };
  const published = LIBS.map(({ manifest }) => manifest.name);
  for (const { folder, manifest } of LIBS) {
    expect({ folder, private: manifest.private ?? false, license: manifest.license }).toEqual({
      folder,
      private: false,
      license,
    });
    const own = Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith('@ha-postgres/'));
    expect(published).toEqual(expect.arrayContaining(own));
  }
});

/** A library of one file needs no list of what it offers. */
const ofSeveralFiles = LIBS.filter(({ folder }) => FILES.some((path) => isFurtherSource(folder, path)));

function isFurtherSource(folder: string, path: string): boolean {
  return path.startsWith(`${folder}/src/`) && !/(?:\/index|\.spec)\.ts$/.test(path);
}

test.each(ofSeveralFiles.map(({ folder }) => [folder] as const))(
  'what %s offers is listed in its index.ts, which does nothing else',
  (folder) => {
    const code = read(`${folder}/src/index.ts`).replace(/^\s*(?:\/\/|\/?\*).*$/gm, '');
    const statements = code.split(';').map((statement) => statement.trim());
    expect(statements.filter((statement) => statement !== '' && !/^export\b.*\bfrom\b/s.test(statement))).toEqual([]);
  },
);
