import { setImmediate as turn } from 'node:timers/promises';
import type { Command, Reply } from '@ha-postgres/haproxy-runtime';
import { silentLog } from '@ha-postgres/service-kit';
import { HaproxySync } from './haproxy-sync';
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
    const rows = this.model.now().map(({ backend, server, host, port, check, isResting, isDraining }, id) => {
      const admin = (isResting ? 1 : 0) | (isDraining ? 8 : 0) | 4;
      const checks = check === null ? '- 0' : `${String(check.host)} ${check.port}`;
      const [checkHost = '-', checkPort = '0'] = checks.split(' ');
      return `1 ${backend} ${id + 1} ${server} ${String(host)} 2 ${admin} 1 1 0 1 0 0 ${check === null ? 0 : 6} 0 0 0 - ${port} - 0 ${checkPort} ${checkHost} - 0`;
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

function start(runtime: ModelRuntime) {
  const settled: Desired[] = [];
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
    onSettled: (desired) => settled.push(desired),
  });
  running.push(sync);
  sync.start();
  return { sync, settled, failures };
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
});
