import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { acquireNodeLock, killProcessesIn, processesIn } from '../src';
import { until } from './fixture/run';

describe('processes of a directory', () => {
  const children: ChildProcess[] = [];
  let directory = '';

  beforeEach(() => {
    directory = realpathSync(mkdtempSync(join(tmpdir(), 'processes-')));
  });
  afterEach(async () => {
    // Its own directory, so nobody else's processes are there: forks of a test that failed.
    killProcessesIn(directory, 'SIGKILL');
    const living = children.splice(0).filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
    for (const child of living) child.kill('SIGKILL');
    await Promise.all(living.map((child) => once(child, 'exit')));
    rmSync(directory, { recursive: true, force: true });
  });

  async function sleeper(cwd: string): Promise<number> {
    const child = spawn('sleep', ['600'], { cwd, stdio: 'ignore' });
    children.push(child);
    await once(child, 'spawn');
    return child.pid ?? NaN;
  }

  it('are found by their working directory only, also through a symbolic link', async () => {
    const inside = await sleeper(directory);
    mkdirSync(join(directory, 'below'));
    await sleeper(join(directory, 'below'));
    await sleeper('/');
    symlinkSync(directory, join(directory, 'link'));
    expect(processesIn(directory)).toEqual([inside]);
    expect(processesIn(join(directory, 'link'))).toEqual([inside]);
    expect(processesIn(join(directory, 'missing'))).toEqual([]);
  });

  it('are found while they are frozen, and in a directory that was removed under them', async () => {
    const pid = await sleeper(directory);
    process.kill(pid, 'SIGSTOP');
    expect(processesIn(directory)).toEqual([pid]);
    rmSync(directory, { recursive: true });
    expect(processesIn(directory)).toEqual([pid]);
  });

  it('do not count when they are dead but not reaped', async () => {
    // The inner shell ends at once; its parent is replaced by sleep, which never reaps it.
    const parent = spawn('sh', ['-c', `(cd '${directory}' && exec sleep 0.2) & cd / && exec sleep 600`], {
      stdio: 'ignore',
    });
    children.push(parent);
    await until(() => processesIn(directory).length === 1, 'the child in the directory');
    const [child = NaN] = processesIn(directory);
    await until(() => processesIn(directory).length === 0, 'the end of the child');
    const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(child)], { encoding: 'utf8' });
    expect(stdout.trim()).toMatch(/^Z/);
  });

  it('are killed but for those to be spared, even while they fork', async () => {
    const spared = await sleeper(directory);
    const forking = spawn('sh', ['-c', 'while :; do sleep 600 & sleep 0.001; done'], {
      cwd: directory,
      stdio: 'ignore',
    });
    children.push(forking);
    await until(() => processesIn(directory).length > 10, 'some forks');
    const killed = killProcessesIn(directory, 'SIGKILL', [spared]);
    expect(killed).toContain(forking.pid);
    expect(killed).not.toContain(spared);
    await until(() => processesIn(directory).length === 1, 'the end of all but the spared one');
    expect(processesIn(directory)).toEqual([spared]);
  });
});

describe('a node lock', () => {
  it('is held once, also within one process, and free after its release', () => {
    const directory = mkdtempSync(join(tmpdir(), 'node-lock-'));
    try {
      const path = join(directory, 'lock');
      const lock = acquireNodeLock(path);
      expect(() => acquireNodeLock(path)).toThrow(`${path} is held by process ${process.pid}`);
      lock.release();
      lock.release();
      acquireNodeLock(path).release();
      expect(() => acquireNodeLock(join(directory, 'missing', 'lock'))).toThrow('cannot open the lock file');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
