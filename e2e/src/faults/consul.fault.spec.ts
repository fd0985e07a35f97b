import { setTimeout as delay } from 'node:timers/promises';
import { processesUnder } from '@ha-postgres/local-cluster';
import { allServersVote, leadingServer } from '../consul-servers';
import { masterKey } from '../master-key';
import { eventually } from '../wait-for';
import type { Fault } from './fault';
import { faultCluster } from './fault-cluster';

const LEADERS_KILLED = 5;
const AGENT_DOWN_MS = 30_000;
const SLOW_MS = 30_000;
const STALLED_MS = 20_000;
const VERY_SLOW_MS = 180_000;

/** One for the PostgreSQL that died, and one for a Master that Consul answers too late. */
const FAILOVERS_MAX = 2;

const consul = faultCluster();

consul.row(13, { half: 'quick', runs: 1 }, async (fault) => {
  for (let killed = 0; killed < LEADERS_KILLED; killed += 1) await fault.strike(() => leaderDiesAndReturns(fault));
  await fault.nothingHappens();
});

for (const { variant, half, ms } of [
  // As a story: no-consul-at-all.e2e.spec.ts.
  { variant: 'for 20 s', half: 'long', ms: 20_000 },
  { variant: 'for 5 min', half: 'long', ms: 300_000 },
] as const) {
  const timeoutMs = ms + 180_000;
  consul.row(14, { half, variant, runs: 1, timeoutMs }, async (fault) => {
    const [first, second] = serversOf(fault);
    await fault.strike(() => allOf([first, second], (server) => fault.cluster.kill(server, true)));
    await delay(ms);
    await fault.writesGoOn();
    await fault.mend(() => allOf([first, second], (server) => fault.cluster.start(server)));
    await fault.masterBeats();
    await fault.nothingHappens();
  });
}

consul.row(14, { half: 'quick', variant: 'and a member missing as well', mayLoseUnsent: true }, async (fault) => {
  const { cluster, master, replica } = fault;
  const servers = serversOf(fault);
  await fault.strike(async () => {
    await allOf(servers, (server) => cluster.kill(server, true));
    await cluster.kill(replica.name);
  });
  await eventually(`${master.name} to fence itself`, () => processesUnder(master.dataDir).length === 0);
  await fault.mend(async () => {
    await allOf(servers, (server) => cluster.start(server));
    await cluster.start(replica.name);
  });
  await fault.writesGoOn();
});

for (const { variant, how, half } of [
  { variant: 'killed', half: 'quick', how: (fault, agent) => fault.isReplaced(agent) },
  { variant: 'ended and started again', half: 'quick', how: (fault, agent) => fault.isReplaced(agent, 'restart') },
  {
    variant: 'down for 30 s',
    half: 'long',
    how: async ({ cluster }, agent) => {
      await cluster.kill(agent, true);
      await delay(AGENT_DOWN_MS);
      await cluster.start(agent);
    },
  },
] as { variant: string; half: 'quick' | 'long'; how: (fault: Fault, agent: string) => Promise<void> }[]) {
  consul.row(15, { half, variant }, async (fault) => {
    await fault.strike(() => how(fault, `${fault.master.name}/consul`));
    await fault.masterBeats();
    await fault.nothingHappens();
  });
}

for (const { roundTripMs, lossPercent } of [
  { roundTripMs: 500, lossPercent: 0 },
  { roundTripMs: 500, lossPercent: 10 },
  { roundTripMs: 1_000, lossPercent: 0 },
]) {
  const variant = `${roundTripMs} ms there and back${lossPercent > 0 ? `, ${lossPercent} % loss` : ''}, for 30 s`;
  // Of those without loss the slower one is enough each time.
  const half = roundTripMs === 1_000 ? 'quick' : 'long';
  consul.row(17, { half, variant, runs: 1 }, async (fault) => {
    const { cluster } = fault;
    await fault.strike(() => cluster.slow('consul', { delayMs: roundTripMs / 2, lossPercent }, 'nodes'));
    await delay(SLOW_MS);
    await fault.mend(() => cluster.heal());
    await fault.nothingHappens();
  });
}

for (const seconds of [2, 5]) {
  const variant = `${seconds} s there and back, 10 % loss, for 3 min`;
  const timeoutMs = VERY_SLOW_MS + 240_000;
  consul.row(17, { half: 'long', variant, runs: 1, timeoutMs, mayLoseUnsent: true }, async (fault) => {
    const { cluster, term, load } = fault;
    await fault.strike(() => cluster.slow('consul', { delayMs: seconds * 500, lossPercent: 10 }, 'nodes'));
    await delay(VERY_SLOW_MS);
    await fault.mend(() => cluster.heal());
    await fault.writesGoOn();
    const later = new Set(load.history.promotions.map((promotion) => promotion.term).filter((one) => one > term));
    expect(later.size).toBeLessThanOrEqual(1);
  });
}

// Nothing is lost on the way, so what its sender has long given up is carried out all the same.
consul.row(41, { half: 'long', variant: 'across a failover', runs: 1, mayLoseUnsent: true }, async (fault) => {
  const { cluster, master, term, load } = fault;
  await fault.strike(() => cluster.slow('consul', { delayMs: 1_750, jitterMs: 1_750 }, 'nodes'));
  await delay(STALLED_MS);
  await cluster.kill(`${master.name}/postgres`);
  await delay(STALLED_MS);
  await fault.mend(() => cluster.heal());
  await eventually('a Master of a later term', async () => {
    const value = await masterKey(fault.described);
    return value.phase === 'running' && value.term > term;
  });
  await fault.writesGoOn();
  const later = new Set(load.history.promotions.map((promotion) => promotion.term).filter((one) => one > term));
  expect(later.size).toBeLessThanOrEqual(FAILOVERS_MAX);
});

/** Consul's leader is killed, another is elected, and the killed one comes back. */
async function leaderDiesAndReturns({ cluster, described }: Fault): Promise<void> {
  const leader = await eventually('a Consul leader among servers that all vote', async () =>
    (await allServersVote(described)) ? leadingServer(described) : null,
  );
  // Started again at once it would often be elected again.
  await cluster.kill(leader, true);
  await eventually('another Consul leader', async () => {
    const next = await leadingServer(described);
    return next !== null && next !== leader;
  });
  await cluster.start(leader);
}

/** Two of three, so that Consul has no quorum. */
function serversOf({ described }: Fault): [string, string] {
  const [first, second] = described.consul.servers;
  if (first === undefined || second === undefined) throw new Error('these rows need three Consul servers');
  return [first.name, second.name];
}

async function allOf(names: readonly string[], work: (name: string) => Promise<void>): Promise<void> {
  await Promise.all(names.map(work));
}
