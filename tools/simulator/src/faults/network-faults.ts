import { CONSUL } from '../consul/consul-model';
import { aWhile, type Fault, type FaultContext } from './context';

/** Cuts ways in one direction, the other, or both. */
function cut(context: FaultContext, pairs: readonly (readonly [string, string])[]): void {
  const { cluster, random } = context;
  const direction = random.pick(['both', 'both', 'there', 'back']);
  const ms = aWhile(context) * (random.chance(0.3) ? 2 : 1);
  for (const [a, b] of pairs) {
    if (direction !== 'back') context.during(ms, cluster.network.cut(a, b));
    if (direction !== 'there') context.during(ms, cluster.network.cut(b, a));
  }
}

const others = ({ cluster }: FaultContext, name: string): string[] =>
  [...cluster.nodes.keys()].filter((other) => other !== name);

const cutFromConsul: Fault = (context) => {
  cut(context, [[context.victim().name, CONSUL]]);
  return true;
};

const cutFromReplicas: Fault = (context) => {
  const { name } = context.victim();
  cut(
    context,
    others(context, name).map((other) => [name, other] as const),
  );
  return true;
};

const cutFromOne: Fault = (context) => {
  const { name } = context.victim();
  const rest = others(context, name);
  if (rest.length === 0) return false;
  cut(context, [[name, context.random.pick(rest)]]);
  return true;
};

const cutFromEverybody: Fault = (context) => {
  const { name } = context.victim();
  const rest = [...others(context, name), CONSUL, ...context.cluster.scenario.balancers];
  cut(
    context,
    rest.map((other) => [name, other] as const),
  );
  return true;
};

const balancerCutFromConsul: Fault = (context) => {
  cut(context, [[context.random.pick(context.cluster.scenario.balancers), CONSUL]]);
  return true;
};

const everybodyCutFromConsul: Fault = (context) => {
  cut(
    context,
    [...context.cluster.nodes.keys()].map((name) => [name, CONSUL] as const),
  );
  return true;
};

const slowWay: Fault = (context) => {
  const { cluster, random } = context;
  const { name } = context.victim();
  const other = random.pick([CONSUL, ...others(context, name)]);
  const ms = random.magnitude(5, 1500);
  context.during(aWhile(context), cluster.network.slowDown(name, other, ms));
  if (random.chance(0.6)) context.during(aWhile(context), cluster.network.slowDown(other, name, ms));
  return true;
};

const packetsLost: Fault = (context) => {
  const { network } = context.cluster;
  network.loss = context.random.between(0.02, 0.3);
  context.during(aWhile(context), () => (network.loss = 0));
  return true;
};

export const networkFaults = {
  cutFromConsul,
  cutFromReplicas,
  cutFromOne,
  cutFromEverybody,
  balancerCutFromConsul,
  everybodyCutFromConsul,
  slowWay,
  packetsLost,
} satisfies Record<string, Fault>;
