import {
  pictureOf,
  planBootstrap,
  planFailover,
  ranked,
  understand,
  type Answer,
  type Reading,
} from '@ha-postgres/hapg/bootstrap';
import type { Cluster } from '../run/cluster';
import type { SimNode } from '../node/node';

/** So long an administrator waits for the cluster to find a Master by itself. */
const PATIENCE_MS = 8000;

/** What a person does where the system says that it waits for one. To be asked now and then. */
export class Administrator {
  private withoutMasterSince: number;
  private bootstraps = 0;
  /** Each is told once: a person asks again and again. */
  private readonly refusals = new Set<string>();

  /** `away`: a node that cannot be reached. */
  constructor(
    private readonly cluster: Cluster,
    private readonly away: SimNode | null = null,
  ) {
    this.withoutMasterSince = cluster.world.now();
  }

  look(): void {
    const all = [...this.cluster.nodes.values()];
    const { world } = this.cluster;
    if (all.some(({ server }) => server?.canAcknowledge === true)) {
      this.withoutMasterSince = world.now();
      // Nothing is given up, or copied anew, while the Master is what cannot be reached.
      if (this.away !== null && this.cluster.lastHolder === this.away) return;
      for (const node of all) if (node !== this.away) this.letRejoin(node);
    } else if (world.now() > this.withoutMasterSince + PATIENCE_MS) this.bootstrap();
  }

  /** As `hapg failover --to NODE --accept-data-loss` does; false: it is refused. */
  failover(to: string): boolean {
    const { keys, consul, world, invariants } = this.cluster;
    const plan = planFailover(this.reading(), to);
    if ('refused' in plan) {
      this.isRefused(`failover to ${to} is refused: ${plan.refused}`);
      return false;
    }
    world.tell('admin', () => `lets ${to} succeed the Master of term ${plan.afterTerm}, whatever is lost by it`);
    const value = {
      id: `failover-${world.now()}`,
      node: to,
      afterTerm: plan.afterTerm,
      by: 'administrator',
      why: 'burnt',
    };
    consul.write({ verb: 'set', key: keys.override, value: JSON.stringify(value) });
    invariants.onLossAccepted();
    return true;
  }

  private letRejoin(node: SimNode): void {
    const record = node.controller?.parts.disk.record;
    const needsRejoin = record?.deadMaster === true || (record?.rejoining ?? null) !== null;
    if (!needsRejoin || node.server?.process.isAlive === true) return;
    if (node.options.config.rejoin === 'never') this.emptyDirectory(node);
    else this.allowRejoin(node);
  }

  private emptyDirectory(node: SimNode): void {
    if (node.disk.data.database === null) return;
    this.cluster.world.tell(node.name, () => 'admin     empties the data directory');
    node.disk.data.database = null;
    node.disk.data.isDamaged = false;
  }

  /** As `hapg rejoin NODE` does. */
  private allowRejoin({ name, controller, world }: SimNode): void {
    const { keys, consul } = this.cluster;
    const runner = controller?.parts.facts.runner;
    const isRefused = runner?.known === true && runner.value.error?.code === 'HAPG_REJOIN_WOULD_LOSE';
    if (!isRefused || consul.fake.store.get(keys.rejoin(name)) !== null) return;
    world.tell(name, () => 'admin     lets it give up its commits');
    const value = JSON.stringify({ id: `rejoin-${world.now()}`, by: 'administrator' });
    this.cluster.allowedToLose.add(name);
    consul.write({ verb: 'set', key: keys.rejoin(name), value });
  }

  /** As `hapg bootstrap --from NODE` does, with the node whose data `hapg status` ranks first; false: it is refused. */
  bootstrap(unreachableAreDown = false): boolean {
    const { keys, consul, world, invariants } = this.cluster;
    const reading = this.reading();
    const order = ranked(pictureOf(reading).nodes);
    const best = order.find(({ status }) => !status.tags.noFailover);
    if (best === undefined) return false;
    // Only nodes that are never to be Master have more.
    const acceptDataLoss = best !== order[0];
    const wish = { from: best.node, by: 'administrator', unreachableAreDown, acceptDataLoss };
    const plan = planBootstrap(keys, reading, wish);
    if ('refused' in plan) {
      this.isRefused(`bootstrap from ${best.node} is refused: ${plan.refused}`);
      return false;
    }
    world.tell('admin', () => `makes the keys anew, with ${best.node} as Master`);
    this.bootstraps += 1;
    // Chance of this machine would make each run another.
    const id = `bootstrap-${this.bootstraps}`;
    const operations = plan.operations.map((operation) =>
      operation.key === keys.override && 'value' in operation
        ? { ...operation, value: JSON.stringify({ ...(JSON.parse(operation.value) as object), id }) }
        : operation,
    );
    for (const node of this.cluster.nodes.keys()) this.cluster.allowedToLose.add(node);
    consul.fake.write(operations);
    if (unreachableAreDown) invariants.onLossAccepted();
    this.withoutMasterSince = world.now();
    return true;
  }

  private isRefused(why: string): void {
    if (this.refusals.has(why)) return;
    this.refusals.add(why);
    this.cluster.world.tell('admin', () => why);
  }

  private reading(): Reading {
    const { keys, consul, nodes } = this.cluster;
    return {
      consulIsSilent: null,
      keys: understand(keys, consul.fake.store.list(`${keys.prefix}/`)),
      answers: [...nodes.values()].map((node) => (node === this.away ? silenceOf(node) : answerOf(node))),
    };
  }
}

const placeOf = ({ name }: SimNode) => ({ name, host: name, apiPort: 8080 });

function silenceOf(node: SimNode): Answer {
  return { kind: 'silent', place: placeOf(node), why: 'refused' };
}

function answerOf(node: SimNode): Answer {
  const place = placeOf(node);
  const state = node.roleServer?.state ?? null;
  if (state === null) return silenceOf(node);
  const { status, ready, readyWhy, instruction } = state;
  return {
    kind: 'answered',
    place,
    status,
    ready,
    readyWhy,
    isValid: true,
    validWhy: '',
    instruction: instruction.kind,
    instructionWhy: 'why' in instruction ? instruction.why : null,
  };
}
