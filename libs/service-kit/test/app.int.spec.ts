import { request } from 'node:http';
import { execFileSync } from 'node:child_process';
import { existsSync, symlinkSync } from 'node:fs';
import { Fixture } from './fixture/run';

function get(socketPath: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path: '/' }, (response) => {
      response.setEncoding('utf8').on('data', resolve);
    })
      .on('error', reject)
      .end();
  });
}

describe('an app as a real process', () => {
  let fixture: Fixture;
  beforeAll(() => {
    fixture = new Fixture();
  });
  afterAll(() => fixture.dispose());

  it('exits 78 with every problem on standard error before it opens anything', async () => {
    const app = fixture.run(['--socket', fixture.path('never'), '--behaviour=nonsense', '--what']);
    expect(await app.ended).toBe(78);
    expect(app.stderr()).toContain('2 problems');
    expect(app.stderr()).toContain('behaviour (--behaviour): "nonsense" must be one of serve,');
    expect(app.stderr()).toContain('--what: there is no such option');
    expect(app.stdout()).toBe('');
    expect(existsSync(fixture.path('never'))).toBe(false);
  });

  it('exits 78 when a rule between options is broken', async () => {
    const app = fixture.run([], { HAPG_SOCKET: 'relative' });
    expect(await app.ended).toBe(78);
    expect(app.stderr()).toContain('socket must be an absolute path: relative');
  });

  it('tells its version, its help and its options without a configuration', async () => {
    const version = fixture.run(['--version']);
    expect(await version.ended).toBe(0);
    expect(version.stdout()).toBe('1.2.3\n');
    const help = fixture.run(['--help']);
    expect(await help.ended).toBe(0);
    expect(help.stdout()).toContain('--token-file');
    const table = fixture.run(['--print-options-markdown']);
    expect(await table.ended).toBe(0);
    expect(table.stdout()).toContain('| `--socket` | `HAPG_SOCKET` |');
  });

  it('shows the configuration with sources and without secrets when asked to check it, and opens nothing', async () => {
    const app = fixture.run(['--check-config', '--socket', fixture.path('checked')], { HAPG_TOKEN: 's3cret' });
    expect(await app.ended).toBe(0);
    expect(JSON.parse(app.stdout())).toMatchObject({
      socket: { value: fixture.path('checked'), source: '--socket' },
      token: { value: '***', source: 'HAPG_TOKEN' },
      behaviour: { value: 'serve', source: 'default' },
    });
    expect(existsSync(fixture.path('checked'))).toBe(false);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('serves, stops on %s and exits 0', async (signal) => {
    const socket = fixture.path(`serve-${signal}`);
    const app = fixture.run(['--socket', socket], { HAPG_TOKEN: 's3cret' });
    await app.untilLogged('app.running');
    expect(await get(socket)).toBe('here');
    app.child.kill(signal);
    expect(await app.ended).toBe(0);
    expect(app.lines().map(({ event }) => event)).toEqual([
      'app.started',
      'app.running',
      'app.stopping',
      'app.stopped',
    ]);
    expect(app.stdout()).not.toContain('s3cret');
    expect(existsSync(socket)).toBe(false);
  });

  it.each([
    ['refuse-to-start', 'I will not'],
    ['reject-later', 'unheard'],
    ['throw-later', 'uncaught'],
  ])('that %ss exits 70 and its last words are in the log', async (behaviour, words) => {
    const app = fixture.run(['--behaviour', behaviour, '--socket', fixture.path(behaviour)]);
    expect(await app.ended).toBe(70);
    const [fatal] = app.lines().filter(({ level }) => level === 'fatal');
    expect(fatal).toMatchObject({ event: 'app.failed', err: { message: words } });
  });

  it('whose start is interrupted by SIGTERM exits 0', async () => {
    const socket = fixture.path('start-for-ever');
    const app = fixture.run(['--behaviour=start-for-ever', '--socket', socket]);
    await app.untilLogged('app.started');
    while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 10));
    app.child.kill('SIGTERM');
    expect(await app.ended).toBe(0);
  });

  it('that cannot stop exits 1 after its bound', async () => {
    const app = fixture.run(['--behaviour=never-stop', '--socket', fixture.path('never-stop')]);
    await app.untilLogged('app.running');
    app.child.kill('SIGTERM');
    expect(await app.ended).toBe(1);
    expect(app.lines().map(({ event }) => event)).toContain('app.stop_timeout');
  });

  it('takes the place of a killed one on its unix socket, but not that of a live one', async () => {
    const socket = fixture.path('taken');
    const killed = fixture.run(['--socket', socket]);
    await killed.untilLogged('app.running');
    killed.child.kill('SIGKILL');
    expect(await killed.ended).toBe('SIGKILL');
    expect(existsSync(socket)).toBe(true);
    const live = fixture.run(['--socket', socket]);
    await live.untilLogged('app.running');
    const second = fixture.run(['--socket', socket]);
    expect(await second.ended).toBe(78);
    expect(second.lines().find(({ level }) => level === 'fatal')).toMatchObject({ code: 'HAPG_LISTEN_FAILED' });
    expect(await get(socket)).toBe('here');
  });

  it('holds its node lock until it ends, however it ends', async () => {
    const lock = fixture.path('node.lock');
    const first = fixture.run(['--socket', fixture.path('first'), '--lock', lock]);
    await first.untilLogged('app.running');
    const second = fixture.run(['--socket', fixture.path('second'), '--lock', lock]);
    expect(await second.ended).toBe(70);
    expect(second.lines().find(({ level }) => level === 'fatal')).toMatchObject({
      code: 'HAPG_NODE_LOCKED',
      err: { message: `${lock} is held by process ${String(first.child.pid)}` },
    });
    first.child.kill('SIGKILL');
    await first.ended;
    const third = fixture.run(['--socket', fixture.path('third'), '--lock', lock]);
    await third.untilLogged('app.running');
  });

  it('locks its node without flock(1) where there is perl, and says so where there is neither', async () => {
    const lock = fixture.path('perl.lock');
    const without = fixture.run(['--socket', fixture.path('without'), '--lock', lock], { PATH: fixture.directory });
    expect(await without.ended).toBe(78);
    expect(without.stdout()).toContain('neither flock nor perl is installed');
    symlinkSync(execFileSync('which', ['perl'], { encoding: 'utf8' }).trim(), fixture.path('perl'));
    const first = fixture.run(['--socket', fixture.path('perl-first'), '--lock', lock], { PATH: fixture.directory });
    await first.untilLogged('app.running');
    const second = fixture.run(['--socket', fixture.path('perl-second'), '--lock', lock]);
    expect(await second.ended).toBe(70);
    expect(second.stdout()).toContain(`held by process ${String(first.child.pid)}`);
  });
});
