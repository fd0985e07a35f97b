import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { codeBlocks } from '../src/markdown';
import type { Project } from '../src/projects';
import { ROOT } from '../src/repository';
import { temporaryFolder } from './temporary';

const run = promisify(execFile);
const MEGABYTE = 2 ** 20;

/** What `npm pack --json` says of one package. */
export interface Packed {
  readonly name: string;
  readonly version: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

const TSCONFIG = {
  compilerOptions: {
    target: 'es2023',
    lib: ['es2023'],
    module: 'node20',
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    // Declarations are judged as well: one that cannot be resolved would otherwise quietly become `any`.
    skipLibCheck: false,
    types: ['node'],
    outDir: 'out',
    rootDir: 'src',
  },
  include: ['src'],
};

/** An empty project outside the repository, in which the packed libraries are installed as a user would. */
export class UserProject {
  readonly folder = temporaryFolder('published');

  constructor() {
    mkdirSync(join(this.folder, 'src'));
    mkdirSync(join(this.folder, 'packed'));
    this.write('package.json', JSON.stringify({ name: 'user-project', private: true, version: '1.0.0' }));
    this.write('tsconfig.json', JSON.stringify(TSCONFIG));
  }

  /** Packs the libraries, which must have been built, as `npm publish` would. */
  async pack(projects: readonly Project[]): Promise<Packed[]> {
    const folders = projects.map(({ folder }) => `./${folder}`);
    const args = ['pack', ...folders, '--json', '--loglevel=error', '--pack-destination', join(this.folder, 'packed')];
    const { stdout } = await run('npm', args, { cwd: ROOT, maxBuffer: 64 * MEGABYTE });
    return JSON.parse(stdout) as Packed[];
  }

  /** Installs tarballs together with the types of Node.js, and the compiler that this repository uses. */
  async install(packed: readonly Packed[]): Promise<void> {
    const { devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
      devDependencies: Readonly<Record<string, string>>;
    };
    const tools = ['typescript', '@types/node'].map((name) => `${name}@${devDependencies[name] ?? 'latest'}`);
    const tarballs = packed.map(({ filename }) => join(this.folder, 'packed', filename));
    const quiet = ['--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline'];
    await run('npm', ['install', ...quiet, ...tarballs, ...tools], { cwd: this.folder, maxBuffer: 64 * MEGABYTE });
  }

  write(path: string, text: string): void {
    writeFileSync(join(this.folder, path), text);
  }

  /** The example of a library, as the README of the *installed* package shows it. */
  exampleOf(packageName: string): string {
    const readme = readFileSync(join(this.folder, 'node_modules', packageName, 'README.md'), 'utf8');
    const example = codeBlocks(readme).find(({ language }) => language === 'ts');
    if (example === undefined) throw new Error(`${packageName} has no example in its README`);
    return example.code;
  }

  /** Compiles `src` to `out`; gives what the compiler complains of. */
  async compile(): Promise<string> {
    const tsc = join(this.folder, 'node_modules', 'typescript', 'bin', 'tsc');
    return run(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], { cwd: this.folder }).then(
      ({ stdout }) => stdout,
      (error: unknown) => (error as { stdout: string }).stdout,
    );
  }

  compiled(name: string): string {
    return join(this.folder, 'out', `${name}.js`);
  }

  /** Runs a compiled file to its end. @throws Error with what it wrote, if it ends with another code than 0. */
  async run(name: string, args: readonly string[] = [], environment: Record<string, string> = {}): Promise<string> {
    const options = { cwd: this.folder, env: { ...process.env, ...environment }, timeout: 60_000 };
    const { stdout } = await run(process.execPath, [this.compiled(name), ...args], options);
    return stdout;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
