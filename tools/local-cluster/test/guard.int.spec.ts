import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { Guard } from '../src/guard';
import { processesUnder } from '../src/processes';
import { waitFor } from '../src/waiting';
import { itAsRoot, temporaryDirectory } from './support';

const mounts = () =>
  readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');

const OWNER = `
  const { spawn } = require('node:child_process');
  const { Guard } = require(process.argv[1]);
  new Guard(process.argv[2]);
  for (const cwd of process.argv.slice(2)) spawn('sleep', ['600'], { cwd, detached: true, stdio: 'ignore' }).unref();
  setInterval(() => undefined, 1000);
`;

describe('the guard', () => {
  let directory: string;
  beforeEach(() => (directory = temporaryDirectory()));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('kills everything under its directory when its owner is killed by SIGKILL', async () => {
    const bundle = join(directory, '..', `guard-${process.pid}.cjs`);
    buildSync({
      entryPoints: [join(__dirname, '..', 'src', 'guard.ts')],
      bundle: true,
      platform: 'node',
      outfile: bundle,
    });
    const below = join(directory, 'node0');
    mkdirSync(below);
    const owner = spawn(process.execPath, ['-e', OWNER, bundle, directory, below], { cwd: '/', stdio: 'inherit' });
    try {
      await waitFor(() => processesUnder(directory).length === 2, { what: 'two sleepers', timeoutMs: 10_000 });
      owner.kill('SIGKILL');
      await waitFor(() => processesUnder(directory).length === 0, { what: 'nobody', timeoutMs: 10_000 });
    } finally {
      owner.kill('SIGKILL');
      rmSync(bundle, { force: true });
    }
  });

  it('leaves processes elsewhere alone, also in a directory whose name only begins alike', async () => {
    const alike = `${directory}-other`;
    mkdirSync(alike);
    const sleepers = [directory, alike].map((cwd) => spawn('sleep', ['600'], { cwd, stdio: 'ignore' }));
    try {
      await new Guard(directory).release();
      expect(processesUnder(directory)).toEqual([]);
      expect(processesUnder(alike)).toEqual([sleepers[1]?.pid]);
    } finally {
      sleepers.forEach((sleeper: ChildProcess) => sleeper.kill('SIGKILL'));
      rmSync(alike, { recursive: true });
    }
  });

  itAsRoot('unmounts what is mounted below its directory, and nothing else', async () => {
    const places = ['volume', 'another'].map((name) => join(directory, name));
    const alike = `${directory}-other`;
    for (const place of [...places, alike]) {
      mkdirSync(place);
      execFileSync('mount', ['-t', 'tmpfs', 'hapg-test', place]);
    }
    try {
      const guard = new Guard(directory);
      expect(mounts()).toEqual(expect.arrayContaining([...places, alike]));
      await guard.release();
      expect(mounts().filter((place) => place.startsWith(directory))).toEqual([alike]);
    } finally {
      execFileSync('umount', [alike]);
      rmSync(alike, { recursive: true });
    }
  });

  it('refuses a directory whose name would mean something else to find', () => {
    expect(() => new Guard('/tmp/a*')).toThrow('"/tmp/a*"');
  });
});
