import { setTimeout as delay } from 'node:timers/promises';
import { processesUnder } from '@ha-postgres/local-cluster';
import { nodeOf } from '../load';
import { masterKey } from '../master-key';
import { makeSlowTables, slowFunction, slowFunctionsRunning } from '../slow-functions';
import { eventually } from '../wait-for';
import type { Fault } from './fault';
import { faultCluster } from './fault-cluster';
import { needMemoryAt, takeAllMemoryOf } from './memory';

/** Longer than the lease and than the longest life of a session that is not renewed (2 × 10 s). */
const OUTLASTS_SESSION_MS = 25_000;

const BACKENDS = 8;

const processes = faultCluster();

processes.row(1, { half: 'quick', variant: 'postmaster killed', mayLoseUnsent: true }, async (fault) => {
  await fault.strike(() => fault.cluster.kill(`${fault.master.name}/postgres`));
  await fault.failsOver();
});

processes.row(
  1,
  {
    half: 'quick',
    variant: `killed while ${BACKENDS} backends run functions that end in a commit`,
    mayLoseUnsent: true,
  },
  async (fault) => {
    const { cluster, described, master, load } = fault;
    await makeSlowTables(described, master.postgresPort);
    const endings = Array.from({ length: BACKENDS }, (_, id) => slowFunction(described, master.postgresPort, id));
    await eventually(
      'all functions to run',
      async () => (await slowFunctionsRunning(described, master.postgresPort)) === BACKENDS,
    );
    await fault.strike(() => cluster.kill(`${master.name}/postgres`));
    const next = await fault.failsOver();
    const ended = await Promise.all(endings);
    const first = load.history.acknowledged.find((write) => nodeOf(described, write) === next.name);
    const end = first?.acknowledgement.at ?? Number.NaN;
    expect(ended.filter(({ isAcknowledged, at }) => isAcknowledged && !(at < end))).toEqual([]);
  },
);

processes.row(2, { half: 'quick', mayLoseUnsent: true }, async (fault) => {
  const { cluster, master } = fault;
  await fault.strike(() => cluster.freeze(`${master.name}/postgres`));
  const frozen = processesUnder(master.dataDir);
  await fault.failsOver();
  // Nobody thaws them: what is stopped cannot be asked to end. (Others may be there by now: the node rejoins.)
  expect(frozen).not.toEqual([]);
  expect(processesUnder(master.dataDir).filter((pid) => frozen.includes(pid))).toEqual([]);
});

for (const [variant, half, how] of [
  ['killed, and stays down', 'long', (fault) => fault.cluster.kill(`${fault.master.name}/db-controller`, true)],
  ['frozen', 'quick', (fault) => fault.cluster.freeze(`${fault.master.name}/db-controller`)],
] as [string, 'quick' | 'long', (fault: Fault) => Promise<void>][]) {
  processes.row(3, { half, variant, mayLoseUnsent: true }, async (fault) => {
    const { cluster, master } = fault;
    await fault.strike(() => how(fault));
    await fault.failsOver();
    expect(processesUnder(master.dataDir)).toEqual([]);
    await fault.mend(() => (variant === 'frozen' ? cluster.thaw(master.name) : cluster.start(master.name)));
  });
}

processes.row(3, { half: 'quick', variant: 'killed, and started again at once' }, async (fault) => {
  await fault.strike(() => fault.isReplaced(`${fault.master.name}/db-controller`));
  await fault.nothingHappens();
});

processes.row(3, { half: 'quick', variant: 'out of memory', mayLoseUnsent: true }, async (fault) => {
  const { cluster, master } = fault;
  const pidNow = () => cluster.node(master.name).processes['db-controller'] ?? null;
  const pid = pidNow();
  await fault.strike(async () => {
    takeAllMemoryOf(pid ?? 0);
    fault.afterwards(needMemoryAt(master.controllerSocket));
    await eventually('the controller to die of it, and another to run', () => {
      const now = pidNow();
      return now !== null && now !== pid;
    });
  });
  await fault.writesGoOn();
});

processes.row(4, { half: 'long', runs: 1, mayLoseUnsent: true }, async (fault) => {
  const { cluster, master } = fault;
  const controller = `${master.name}/db-controller`;
  await fault.strike(() => cluster.freeze(controller));
  const next = await fault.failsOver();
  await delay(OUTLASTS_SESSION_MS);
  const { term } = await masterKey(fault.described);
  const thawedAt = Date.now();
  await fault.mend(() => cluster.thaw(controller));
  await eventually(`${master.name} to know that it is not Master`, () =>
    ['DeadMaster', 'Replica'].includes(cluster.node(master.name).role ?? ''),
  );
  const events = fault.logOf(controller, thawedAt).map(({ event }) => event);
  expect(events).not.toContain('postgres.promote');
  expect(events).not.toContain('lease.acquired');
  expect(await masterKey(fault.described)).toMatchObject({ node: next.name, term, phase: 'running' });
});

for (const [variant, half, how] of [
  ['killed, and stays down', 'long', (fault) => fault.cluster.kill(`${fault.master.name}/role-server`, true)],
  ['frozen', 'quick', (fault) => fault.cluster.freeze(`${fault.master.name}/role-server`)],
] as [string, 'quick' | 'long', (fault: Fault) => Promise<void>][]) {
  processes.row(5, { half, variant, mayLoseUnsent: true }, async (fault) => {
    const { cluster, master } = fault;
    await fault.strike(() => how(fault));
    await fault.failsOver();
    expect(processesUnder(master.dataDir)).toEqual([]);
    const rules = fault.logOf(`${master.name}/postgres-runner`).map(({ rule }) => rule);
    expect(rules).toContain('aPassedDeadlineFences');
    await fault.mend(() => (variant === 'frozen' ? cluster.thaw(master.name) : cluster.start(master.name)));
  });
}

processes.row(5, { half: 'quick', variant: 'killed, and started again at once' }, async (fault) => {
  await fault.strike(() => fault.isReplaced(`${fault.master.name}/role-server`));
  await fault.nothingHappens();
});

processes.row(6, { half: 'quick', variant: 'killed, and stays down', mayLoseUnsent: true }, async (fault) => {
  const { cluster, master } = fault;
  await fault.strike(() => cluster.kill(`${master.name}/postgres-runner`, true));
  await eventually(
    `${master.name}'s PostgreSQL to die with its runner`,
    () => processesUnder(master.dataDir).length === 0,
  );
  await fault.failsOver();
  await fault.mend(() => cluster.start(master.name));
});

processes.row(
  6,
  { half: 'quick', variant: 'frozen, and Consul cut off 2 s later', mayLoseUnsent: true },
  async (fault) => {
    const { cluster, master } = fault;
    await fault.strike(async () => {
      await cluster.freeze(`${master.name}/postgres-runner`);
      await delay(2_000);
      await cluster.cut(master.name, 'consul');
    });
    await fault.failsOver();
    expect(processesUnder(master.dataDir)).toEqual([]);
    const events = fault.logOf(`${master.name}/db-controller`).map(({ event }) => event);
    expect(events).toContain('fence.second');
    await fault.mend(async () => {
      await cluster.heal();
      await cluster.thaw(master.name);
    });
  },
);
