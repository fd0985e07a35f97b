import { aWhile, type Fault } from './context';

const leaderLost: Fault = (context) => {
  const { fake } = context.cluster.consul;
  context.world.tell('consul', () => 'FAULT     no leader');
  fake.loseLeader();
  context.during(aWhile(context) * (context.random.chance(0.3) ? 3 : 1), () => {
    context.world.tell('consul', () => 'fault     a leader is elected');
    fake.electLeader();
  });
  return true;
};

/** A session ends long before its time: an operator, a bug, a lost node entry. */
const sessionEnded: Fault = ({ cluster, world, random }) => {
  const { fake } = cluster.consul;
  const holder = fake.store.get(cluster.keys.master)?.session ?? null;
  const id = holder !== null && random.chance(0.8) ? holder : (fake.sessionIds()[0] ?? null);
  if (id === null) return false;
  world.tell('consul', () => `FAULT     session ${id.slice(-4)} ends`);
  fake.endSession(id);
  return true;
};

const consulSlow: Fault = (context) => {
  const { state } = context.cluster.consul;
  state.slowMs = context.random.magnitude(50, 2500);
  context.world.tell('consul', () => `FAULT     answers take up to ${(2 * state.slowMs).toFixed(0)} ms longer`);
  context.during(aWhile(context), () => (state.slowMs = 0));
  return true;
};

/** Requests are held up for seconds, and then carried out all the same. */
const requestsStalled: Fault = (context) => {
  const { state } = context.cluster.consul;
  const { random } = context;
  state.stall = { probability: random.between(0.1, 0.9), ms: random.between(500, 7000) };
  context.world.tell('consul', () => 'FAULT     requests are held up, and carried out later');
  context.during(aWhile(context), () => (state.stall = null));
  return true;
};

const answersLost: Fault = (context) => {
  const { state } = context.cluster.consul;
  state.answerLoss = context.random.between(0.1, 0.8);
  context.world.tell('consul', () => 'FAULT     answers are lost');
  context.during(aWhile(context), () => (state.answerLoss = 0));
  return true;
};

/** A server that was the leader answers default reads from what it knew. */
const oldLeaderAnswers: Fault = (context) => {
  const { state, fake } = context.cluster.consul;
  const { random, cluster } = context;
  const node = random.chance(0.5) ? random.pick([...cluster.nodes.keys()]) : null;
  state.deposed = { keys: fake.store.snapshot(), node };
  context.world.tell('consul', () => 'FAULT     an old leader answers default reads');
  context.during(random.between(100, 2500), () => (state.deposed = null));
  return true;
};

const agentSilent: Fault = (context) => {
  const { silentAgents } = context.cluster.consul;
  const { name } = context.victim();
  silentAgents.add(name);
  context.world.tell(name, () => 'FAULT     its Consul agent is silent');
  context.during(aWhile(context) * 2, () => {
    silentAgents.delete(name);
  });
  return true;
};

export const consulFaults = {
  leaderLost,
  sessionEnded,
  consulSlow,
  requestsStalled,
  answersLost,
  oldLeaderAnswers,
  agentSilent,
} satisfies Record<string, Fault>;
