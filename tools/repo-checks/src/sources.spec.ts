import { execFileSync } from 'node:child_process';
import { FILES, ROOT, linesWith, read } from './repository';

const isText = (path: string): boolean => !/\.(png|jpe?g|gif|ico|gz)$/.test(path);
const texts = FILES.filter((path) => isText(path) && path !== 'package-lock.json');
const code = texts.filter((path) => /\.(ts|mts|cts|js|mjs|cjs)$/.test(path) || /^tools\/[^/.]+$/.test(path));
const specs = code.filter((path) => path.endsWith('.spec.ts'));

test('the walk reaches the whole repository', () => {
  expect(specs.length).toBeGreaterThan(50);
  expect(texts).toEqual(expect.arrayContaining(['README.md', '.ci/run', 'tools/demo', 'libs/lsn/src/index.ts']));
});

test('no test is singled out or left out', () => {
  expect(
    linesWith(
      specs,
      /\b(?:describe|test|it)(?:\.\w+)*\.(?:only|skip|failing)\b|\b(?:fdescribe|fit|xdescribe|xit|xtest)\(|\.tod[o]\(/,
    ),
  ).toEqual([]);
});

test('nothing is left for later', () => {
  expect(linesWith(code, /\b(?:TOD[O]|FIXM[E]|XX[X]|HAC[K])\b|not implemente[d]|debugge[r];/i)).toEqual([]);
});

test('no file names a path of the machine that it was written on', () => {
  expect(linesWith(texts, /(?:^|[^\w.])\/(?:wor[k]|roo[t]|hom[e]\/\w+)\//)).toEqual([]);
});

test('no file leads out of the repository', () => {
  expect(linesWith(texts, /\.\.\/share[d]\b|\bDESIGN\.m[d]|\bFACTS\.m[d]|\bSTYLE\.m[d]/)).toEqual([]);
});

const PUBLIC_REGISTRIES =
  /https?:\/\/[\w.-]*(?:npmjs\.(?:org|com)|registr[y]|artifactor[y]|verdacci[o]|nexu[s])[\w.-]*/;

/** The host of the registry that npm is set to here, which may be a private one. */
function ownRegistry(): string {
  const url = execFileSync('npm', ['config', 'get', 'registry'], { cwd: ROOT, encoding: 'utf8', stdio: 'pipe' });
  return new URL(url.trim()).host;
}

test('no file names a package registry, and the lock file only packages of this repository by their place', () => {
  const registry = new RegExp(`${PUBLIC_REGISTRIES.source}|${ownRegistry().replaceAll('.', '\\.')}`);
  expect(linesWith(texts, registry)).toEqual([]);
  const { packages } = JSON.parse(read('package-lock.json')) as {
    packages: Record<string, { resolved?: string; link?: boolean }>;
  };
  const elsewhere = Object.entries(packages).filter(
    ([, { resolved, link }]) =>
      resolved !== undefined && !(link === true && FILES.includes(`${resolved}/package.json`)),
  );
  expect(elsewhere).toEqual([]);
  expect(linesWith(['package-lock.json', '.npmrc'], registry)).toEqual([]);
});
