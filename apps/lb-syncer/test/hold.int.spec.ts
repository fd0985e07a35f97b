import { parseLbStatus, type LbStatus } from '@ha-postgres/cluster-state';
import { keys } from './lab/cluster';
import { startLab, type Lab, type LabHold } from './lab/lab';
import { LabConnection, reached } from './lab/node';
import { eventually } from './lab/processes';

const WAITING = 4;

let lab: Lab;
beforeEach(async () => {
  lab = await startLab();
  const [master, ...replicas] = lab.nodes;
  await lab.cluster.join(master, 'Master');
  for (const replica of replicas) await lab.cluster.join(replica, 'Replica');
  await lab.cluster.acquire(master);
});
afterEach(() => lab.end());

const writerIs = (name: string | null): Promise<unknown> =>
  eventually(
    `the master port leads to ${String(name)}`,
    () => reached(lab.haproxy.masterPort),
    (node) => node === name,
  );

const status = async (): Promise<LbStatus | null> => {
  const { entry } = await lab.consul.client.kvGet(keys.lbStatus('lb-0'));
  const parsed = entry === null ? null : parseLbStatus(entry.value);
  return parsed?.ok === true ? parsed.value : null;
};
const reports = (what: string, isSo: (said: LbStatus) => boolean): Promise<unknown> =>
  eventually(`it reports that it ${what}`, status, (said) => said !== null && isSo(said));
/** By what stands in key `master` now: a report of the hold before may still be there. */
async function holds(): Promise<unknown> {
  const { entry } = await lab.consul.client.kvGet(keys.master, { consistency: 'consistent' });
  const since = entry?.modifyIndex ?? 0;
  return reports('holds', ({ holding, appliedIndex }) => holding && appliedIndex >= since);
}

async function started(hold: LabHold = {}): Promise<void> {
  lab.startSyncer(hold);
  await writerIs('pg-0');
  await reports('routes to pg-0', ({ master }) => master === 'pg-0');
}

const drains = () => lab.cluster.write(lab.nodes[0], 'draining', { successor: 'pg-1' });

async function nextRuns(): Promise<void> {
  await lab.cluster.acquire(lab.nodes[1], 'promoting');
  await lab.cluster.setRole(lab.nodes[1], 'Master');
  await lab.cluster.write(lab.nodes[1], 'running');
}

/** Clients that come now, each with the node that it reaches in the end (null: refused), and how many still wait. */
function clients(count = WAITING): { reached: Promise<(string | null)[]>; waiting: () => number } {
  let waiting = count;
  const each = Array.from({ length: count }, async () => {
    const connection = await LabConnection.open(lab.haproxy.masterPort);
    waiting -= 1;
    connection.close();
    return connection.node;
  });
  return { reached: Promise.all(each), waiting: () => waiting };
}

const queued = async (count: number): Promise<unknown> =>
  eventually(
    `${count} clients wait in HAProxy`,
    () => lab.haproxy.queued(),
    (now) => now === count,
  );

const holdServer = async () => {
  const server = (await lab.haproxy.states()).find((one) => one.server === 'hold');
  return `${server?.adminState.isMaint === true ? 'maint' : 'ready'} ${server?.weight ?? 0}`;
};
const refuse = (count = WAITING): null[] => Array<null>(count).fill(null);

describe('clients in a switchover, with real Consul and HAProxy', () => {
  it('are all served by the next Master, none is refused, and who was connected stays so until the old one has left', async () => {
    await started();
    const old = await LabConnection.open(lab.haproxy.masterPort);
    await drains();
    await holds();
    const { reached: all, waiting } = clients();
    await queued(WAITING);
    expect([waiting(), old.isClosed]).toEqual([WAITING, false]);
    await lab.cluster.write(lab.nodes[0], 'draining', { successor: 'pg-1', released: true });
    await eventually('the old connection is closed', () => old.isClosed);
    const late = clients();
    await queued(2 * WAITING);
    await nextRuns();
    expect(await all).toEqual(Array(WAITING).fill('pg-1'));
    expect(await late.reached).toEqual(Array(WAITING).fill('pg-1'));
    await reports('holds no more', ({ holding, master }) => !holding && master === 'pg-1');
    expect(await holdServer()).toBe('maint 1');
  });

  it('never meet a refusal, however they come', async () => {
    await started();
    const seen: (string | null)[] = [];
    const ending = new AbortController();
    const coming = (async () => {
      while (!ending.signal.aborted) seen.push(await reached(lab.haproxy.masterPort));
    })();
    for (const [from, to] of [
      [0, 1],
      [1, 2],
      [2, 0],
    ] as const) {
      const [old, next] = [lab.nodes[from], lab.nodes[to]];
      await lab.cluster.write(old, 'draining', { successor: next.name });
      await holds();
      await lab.cluster.write(old, 'draining', { successor: next.name, released: true });
      await lab.cluster.acquire(next, 'waiting');
      await lab.cluster.setRole(old, 'Replica');
      await lab.cluster.setRole(next, 'Master');
      const before = seen.length;
      await lab.cluster.write(next, 'running');
      await eventually(`clients reach ${next.name}`, () => seen.slice(before).includes(next.name));
    }
    ending.abort();
    await coming;
    expect(seen.filter((node) => node === null)).toEqual([]);
    expect(new Set(seen)).toEqual(new Set(['pg-0', 'pg-1', 'pg-2']));
  });

  it('are refused, those who wait and those who come, when no Master is there within holdTimeout', async () => {
    await started({ timeoutMs: 500 });
    await drains();
    await holds();
    const { reached: all } = clients();
    await queued(WAITING);
    expect(await all).toEqual(refuse());
    await writerIs(null);
    await reports('holds no more', ({ holding }) => !holding);
    expect(await holdServer()).toBe('maint 1');
    await nextRuns();
    await writerIs('pg-1');
  });

  it('are refused if they are not to wait, which is reported before it matters', async () => {
    await started({ mode: 'never' });
    await reports('could not hold', ({ canHold }) => canHold === false);
    await drains();
    await writerIs(null);
    expect(await status()).toMatchObject({ holding: false });
  });
});

describe('clients when a Master has died', () => {
  it('are refused at once', async () => {
    await started();
    await lab.cluster.write(lab.nodes[0], 'draining', { released: true });
    await writerIs(null);
    expect(await clients().reached).toEqual(refuse());
  });

  it('wait for the next one if they always do', async () => {
    await started({ mode: 'always' });
    await lab.cluster.write(lab.nodes[0], 'draining', { released: true });
    await holds();
    const { reached: all } = clients();
    await queued(WAITING);
    await nextRuns();
    expect(await all).toEqual(Array(WAITING).fill('pg-1'));
  });
});

describe('when something fails while clients wait', () => {
  it('a new lb-syncer refuses those who waited at its predecessor, and holds those who come', async () => {
    await started();
    await drains();
    await holds();
    const { reached: all } = clients();
    await queued(WAITING);
    await lab.stopSyncer();
    expect(await all).toEqual(refuse());
    lab.startSyncer();
    await holds();
    const next = clients();
    await queued(WAITING);
    await nextRuns();
    expect(await next.reached).toEqual(Array(WAITING).fill('pg-1'));
  });

  it('a new lb-syncer cleans up what its predecessor held, where a Master runs by now', async () => {
    await started();
    await drains();
    await holds();
    await lab.stopSyncer();
    expect(await holdServer()).toBe('ready 1');
    await nextRuns();
    lab.startSyncer();
    await writerIs('pg-1');
    await eventually('the plug rests', holdServer, (now) => now.startsWith('maint'));
  });

  it('a restarted HAProxy holds those who come from then on', async () => {
    await started();
    await drains();
    await holds();
    const { reached: all } = clients();
    await queued(WAITING);
    await lab.haproxy.server.end('SIGKILL');
    expect(await all).toEqual(refuse());
    lab.haproxy.server.start();
    await lab.haproxy.waitUntilUp();
    await eventually('the plug is in again', holdServer, (now) => now === 'ready 1');
    const next = clients();
    await queued(WAITING);
    await nextRuns();
    expect(await next.reached).toEqual(Array(WAITING).fill('pg-1'));
  });
});
