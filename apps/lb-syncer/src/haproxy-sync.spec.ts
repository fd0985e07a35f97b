import { setImmediate as turn } from 'node:timers/promises';
import type { Command, Reply } from '@ha-postgres/haproxy-runtime';
import { silentLog } from '@ha-postgres/service-kit';
import { HaproxySync, type Hold } from './haproxy-sync';
import { planBackends, type Desired } from './plan-backends';
import { ModelHaproxy } from './testing/model-haproxy';
import { BACKENDS, SERVERS, held, masterValue, view } from './testing/views';

const STATE_COLUMNS =
  'be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port';

/** A Runtime API on the model: answers the two queries as HAProxy writes them. */
class ModelRuntime {
  readonly model = new ModelHaproxy(SERVERS);
  readonly batches: string[][] = [];
  isAway = false;
  refuses = (_line: string): boolean => false;

  batch(commands: readonly Command[]): Promise<readonly Reply[]> {
    if (this.isAway) return Promise.reject(new Error('connection refused'));
    this.batches.push(commands.map(({ line }) => line));
    return Promise.resolve(commands.map((command) => this.#answer(command)));
  }

  #answer(command: Command): Reply {
    if (command.line === 'show servers state') return { command, ok: true, text: this.#states() };
    if (command.line.startsWith('show stat')) return { command, ok: true, text: this.#stats() };
    if (!this.refuses(command.line)) this.model.apply(command);
    return { command, ok: true, text: '' };
  }

  #states(): string {
    const rows = this.model.now().map(({ backend, server, host, port, check, isResting, isDraining, weight }, id) => {
      const admin = (isResting ? 1 : 0) | (isDraining ? 8 : 0) | 4;
      const checks = check === null ? '- 0' : `${String(check.host)} ${check.port}`;
      const [checkHost = '-', checkPort = '0'] = checks.split(' ');
      return `1 ${backend} ${id + 1} ${server} ${String(host)} 2 ${admin} ${weight} 1 0 1 0 0 ${check === null ? 0 : 6} 0 0 0 - ${port} - 0 ${checkPort} ${checkHost} - 0`;
    });
    return ['1', `# ${STATE_COLUMNS}`, ...rows].join('\n');
  }

  #stats(): string {
    const rows = this.model.now().map(({ backend, server, sessions }) => `${backend},${server},${sessions},UP,2,`);
    return ['# pxname,svname,scur,status,type,', ...rows].join('\n');
  }

  /** Commands that were not just looking. */
  get changes(): string[] {
    return this.batches.flat().filter((line) => !line.startsWith('show'));
  }
}

const running: HaproxySync[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((sync) => sync.stop()));
});

/** A plug that is in as long as the test says so; what was done to it, among the commands. */
class FakePlug {
  inside = false;
  fails = false;

  constructor(private readonly runtime: ModelRuntime) {}

  isIn = () => this.inside;

  putIn(): Promise<void> {
    this.runtime.batches.push([this.fails ? 'plug fails' : 'plug in']);
    if (this.fails) return Promise.reject(new Error('HAProxy closed the plug'));
    this.inside = true;
    return Promise.resolve();
  }

  turnAway(): Promise<void> {
    this.runtime.batches.push(['turn away']);
    this.inside = false;
    return Promise.resolve();
  }
}

function start(runtime: ModelRuntime) {
  const settled: Desired[] = [];
  const holds: Hold[] = [];
  const plug = new FakePlug(runtime);
  const failures: string[] = [];
  const sync = new HaproxySync({
    runtime,
    pollIntervalMs: 1,
    isFresh: () => true,
    log: silentLog,
    now: () => performance.now(),
    onAnswer: () => undefined,
    onFailure: (why) => failures.push(why),
    onChanged: () => undefined,
    onSettled: (desired, hold) => {
      settled.push(desired);
      holds.push(hold);
    },
    plug,
    masterBackend: 'master',
  });
  running.push(sync);
  sync.start();
  return { sync, settled, failures, holds, plug };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let turns = 0; turns < 5000; turns += 1) {
    if (holds()) return;
    await turn();
    if (turns % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  throw new Error(`never happened: ${what}`);
}

const desired = planBackends(view(), BACKENDS);
const leaving = masterValue(0, { phase: 'draining', successor: 'pg-1' });
const draining = planBackends(view({ master: held(leaving) }), BACKENDS, true);
const over = planBackends(view({ master: held({ ...leaving, released: true }, null) }), BACKENDS, false);
const promoted = planBackends(view({ master: held(masterValue(1)) }), BACKENDS);

describe('HaproxySync', () => {
  it('changes nothing before the first wish', async () => {
    const runtime = new ModelRuntime();
    start(runtime);
    await until('it has looked a few times', () => runtime.batches.length > 3);
    expect(runtime.changes).toEqual([]);
  });

  it('fulfils a wish in one batch, and never applies again what holds', async () => {
    const runtime = new ModelRuntime();
    const { sync, settled } = start(runtime);
    sync.want(desired);
    await until('it is settled and looked at again', () => settled.length > 5);
    expect(runtime.batches.filter((lines) => lines.some((line) => line.startsWith('set')))).toHaveLength(1);
    expect(runtime.model.servers.find(({ server }) => server === 'master0')).toMatchObject({
      address: '10.0.0.1:5432',
    });
  });

  it('sends a new wish at once, without looking first', async () => {
    const runtime = new ModelRuntime();
    const { sync, settled } = start(runtime);
    sync.want(desired);
    await until('it is settled', () => settled.length > 0);
    const before = runtime.batches.length;
    sync.want(promoted);
    await until('the next batch is sent', () => runtime.changes.some((line) => line.includes('10.0.0.2 port 5432')));
    await until('it is settled', () => settled.at(-1) === promoted);
    const next = runtime.batches.slice(before).findIndex((lines) => lines.some((line) => line.startsWith('set')));
    // At most a poll that was under way already stands before it.
    expect(next).toBeLessThanOrEqual(1);
  });

  it('pushes everything again to a HAProxy that was restarted', async () => {
    const runtime = new ModelRuntime();
    const { sync, settled, failures } = start(runtime);
    sync.want(desired);
    await until('it is settled', () => settled.length > 0);
    runtime.isAway = true;
    runtime.model.restart();
    await until('its absence is noticed', () => failures.length > 0);
    runtime.isAway = false;
    await until('the Master is back', () =>
      runtime.model.servers.some(({ server, isResting }) => server === 'master0' && !isResting),
    );
  });

  it('does not besiege a HAProxy that does not do what it is told, nor call it settled', async () => {
    const runtime = new ModelRuntime();
    runtime.refuses = (line) => line.includes('master0');
    const { sync, settled } = start(runtime);
    sync.want(desired);
    await until(
      'it has tried often',
      () => runtime.changes.filter((line) => line.includes('master0 state ready')).length > 6,
    );
    expect(settled).toEqual([]);
    runtime.refuses = () => false;
    await until('it is settled', () => settled.length > 0);
  });

  it('has clients wait before the Master takes no more, and until the next one serves', async () => {
    const runtime = new ModelRuntime();
    const { sync, settled, holds } = start(runtime);
    sync.want(desired);
    await until('it is settled', () => settled.length > 0);
    expect(holds.at(-1)).toEqual({ holding: false, canHold: true });
    sync.want(draining);
    await until('it is settled', () => settled.at(-1) === draining);
    expect(holds.at(-1)).toEqual({ holding: true, canHold: true });
    sync.want(promoted);
    await until('the next one serves', () => settled.at(-1) === promoted);
    const order = runtime.changes.filter((line) => line === 'plug in' || line.includes('master0 state'));
    // After the two of the first wish.
    expect(order.slice(2)).toEqual([
      'plug in',
      'set server master/master0 state drain',
      'set server master/master0 state maint',
      'set server master/master0 state ready',
    ]);
    expect(runtime.changes).not.toContain('turn away');
  });

  it('refuses whoever waits when it is to wait no longer', async () => {
    const runtime = new ModelRuntime();
    const { sync, settled, holds } = start(runtime);
    sync.want(draining);
    await until('it is settled', () => settled.at(-1) === draining);
    sync.want(over);
    await until('it is settled', () => settled.at(-1) === over);
    expect(runtime.changes).toContain('turn away');
    expect(holds.at(-1)?.holding).toBe(false);
  });

  it('takes the Master out all the same if clients cannot wait, and says so', async () => {
    const runtime = new ModelRuntime();
    const { sync, settled, holds, plug } = start(runtime);
    plug.fails = true;
    sync.want(desired);
    await until('it is settled', () => settled.length > 0);
    sync.want(draining);
    await until('it is settled', () => settled.at(-1) === draining);
    expect(runtime.changes).toContain('set server master/master0 state drain');
    expect(holds.at(-1)?.holding).toBe(false);
  });
});
