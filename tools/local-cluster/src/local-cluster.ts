import { EventEmitter } from 'node:events';
import { join } from 'node:path';
import { replaceFile } from './atomic-file';
import { describeCluster, type ClusterFile } from './cluster-file';
import { consulLeader } from './consul-leader';
import { clockLibrary } from './clocks';
import { makeEnterable } from './enterable';
import { Guard } from './guard';
import { openLayout, type Layout, type NodePlace } from './layout';
import { ClusterNetwork } from './network/cluster-network';
import { membersMeant } from './network/groups';
import type { Ends, Slowness } from './network/links';
import { Member, type MemberPlace } from './member';
import type { ClusterOptions } from './options';
import { prepareFiles } from './prepare';
import { consulSpec, consulUrl, loadBalancerSpecs, nodeSpecs, roleServerUrl, type SpecContext } from './process-specs';
import { processesUnder } from './processes';
import { RoleWatch } from './role-watch';
import { SupervisorLog, type ClusterEvent } from './supervisor-log';
import type { Listener, ProcessSpec } from './supervised';
import type { Target } from './target';
import { forgetInConsul, leaveConsul, withNode, withoutNode } from './topology';
import { waitFor } from './waiting';
import { installedPrograms, type Programs } from './workspace';

/** How long the parts get to end in order before they are killed, in milliseconds. */
const STOP_GRACE_MS = 5_000;
const CONSUL_LEADER_MS = 60_000;
const REFRESH_MS = 200;

interface Events {
  change: [];
  event: [ClusterEvent];
}

/** A cluster of real processes, supervised by this one. `start` it, and `stop` it: what it started never outlives it. */
export class LocalCluster extends EventEmitter<Events> {
  private context: SpecContext;
  private readonly members: Map<string, Member>;
  private readonly roles: Map<string, RoleWatch>;
  private readonly guard: Guard;
  private readonly log: SupervisorLog;
  private readonly network: ClusterNetwork | null;
  private refresh: NodeJS.Timeout | null = null;
  private written = '';

  /**
   * Makes the work directory and its files; nothing runs yet but the guard.
   * @throws Error if a program is missing, or if processes of a cluster run in that work directory already.
   */
  static async open(options: ClusterOptions, programs: Programs = installedPrograms()): Promise<LocalCluster> {
    const layout = await openLayout(options);
    const others = processesUnder(layout.workdir).filter((pid) => pid !== process.pid);
    if (others.length > 0)
      throw new Error(`a cluster runs in ${layout.workdir} already: processes ${others.join(', ')}`);
    const postgresUser = process.getuid?.() === 0 ? 'postgres' : null;
    if (postgresUser !== null) makeEnterable(layout.workdir);
    prepareFiles(layout, programs);
    return new LocalCluster({
      layout,
      programs,
      settings: options.settings,
      postgresUser,
      clockLibrary: options.clocks === true ? clockLibrary() : null,
    });
  }

  private constructor(context: SpecContext) {
    super();
    this.context = context;
    this.log = new SupervisorLog(join(this.layout.logs, 'supervisor.log'));
    this.members = new Map(memberParts(context).map((parts) => [parts.place.name, this.memberOf(parts)]));
    this.roles = new Map(this.layout.nodes.map((node) => [node.name, this.roleWatchOf(node)]));
    const { network, workdir } = this.layout;
    this.guard = new Guard(workdir, network?.id);
    this.network =
      network === undefined
        ? null
        : new ClusterNetwork(network, workdir, (why) =>
            this.happened('network', 'hub', `nothing is slow any more: ${why}`),
          );
  }

  get layout(): Layout {
    return this.context.layout;
  }

  /** Starts everything; Consul first, so that the services do not begin with a fruitless search. */
  async start(signal?: AbortSignal): Promise<void> {
    this.refresh = setInterval(() => this.changed(), REFRESH_MS);
    await this.network?.open([...this.members.keys()]);
    for (const member of this.members.values()) if (member.place.kind === 'consul server') member.start();
    for (const member of this.members.values()) if (member.place.kind !== 'consul server') member.start('consul');
    const { servers, nodes, loadBalancers } = this.layout;
    const agents = [
      ...servers.map((server) => ({ name: server.name, agent: server })),
      ...[...nodes, ...loadBalancers].map(({ name, agent }) => ({ name, agent })),
    ];
    await Promise.all(
      agents.map(({ name, agent }) =>
        waitFor(() => consulLeader(consulUrl(this.layout, name, agent)), {
          what: `a Consul leader, asked at ${consulUrl(this.layout, name, agent)}`,
          timeoutMs: CONSUL_LEADER_MS,
          signal,
        }),
      ),
    );
    for (const member of this.members.values()) member.start();
    for (const watch of this.roles.values()) watch.start();
  }

  /**
   * Ends every process: services first, Consul last, in order if `graceMs` is above 0, else at once.
   * Resolves when none is left.
   */
  async stop(graceMs: number = STOP_GRACE_MS): Promise<void> {
    for (const watch of this.roles.values()) watch.stop();
    const members = [...this.members.values()];
    for (const process of members.flatMap((member) => [...member.processes.values()])) process.keepDown();
    if (graceMs > 0) await this.stopInOrder(members, graceMs);
    await this.guard.release();
    await waitFor(() => processesUnder(this.layout.workdir).length === 0, {
      what: 'the end of all processes',
      timeoutMs: STOP_GRACE_MS,
    });
    await Promise.all(members.map((member) => member.stop(0)));
    if (this.refresh !== null) clearInterval(this.refresh);
    this.changed();
  }

  /** The current truth, as in `cluster.json`. */
  describe(): ClusterFile {
    const seen = {
      pids: (name: string) => this.members.get(name)?.pids() ?? {},
      role: (name: string) => this.roles.get(name)?.role ?? null,
      faults: () => this.network?.faults ?? [],
    };
    return describeCluster(this.layout, seen, { pid: process.pid, control: join(this.layout.workdir, 'control.sock') });
  }

  /**
   * Starts one more node. Resolves when its processes run.
   * @throws RangeError if the name is none of a node, or taken.
   */
  async addNode(name: string, settings: Readonly<Record<string, string>> = {}): Promise<void> {
    const { layout, node } = await withNode(this.layout, name, settings);
    this.context = { ...this.context, layout };
    this.note({ member: name }, 'add');
    prepareFiles(layout, this.context.programs);
    await this.network?.add(name);
    const member = this.memberOf(nodeParts(this.context, node));
    const watch = this.roleWatchOf(node);
    this.members.set(name, member);
    this.roles.set(name, watch);
    member.start();
    watch.start();
    this.changed();
  }

  /**
   * Stops a node in order, for good: it leaves Consul, and its directory is removed. Resolves when that is done.
   * @throws RangeError if there is no such node, or it is the Master.
   */
  async removeNode(name: string): Promise<void> {
    const member = this.member({ member: name });
    const node = this.layout.nodes.find((one) => one.name === name);
    if (node === undefined) throw new RangeError(`${name} is no node`);
    if (this.roles.get(name)?.role === 'Master') throw new RangeError(`${name} is the Master: switch over first`);
    this.note({ member: name }, 'remove');
    await member.stopServices(STOP_GRACE_MS);
    await leaveConsul(this.layout, node);
    await member.stop(STOP_GRACE_MS);
    // Nothing of it is to run any more when its directory goes.
    await member.kill(undefined, true);
    await forgetInConsul(this.layout, node);
    this.roles.get(name)?.stop();
    this.roles.delete(name);
    this.members.delete(name);
    await this.network?.remove(name, [...this.members.keys()]);
    this.context = { ...this.context, layout: withoutNode(this.layout, node) };
    this.changed();
  }

  async kill(target: Target, keepDown = false): Promise<void> {
    this.note(target, keepDown || target.process === undefined ? 'kill, keep down' : 'kill');
    await this.member(target).kill(target.process, keepDown);
    this.changed();
  }

  async freeze(target: Target): Promise<void> {
    this.note(target, 'freeze');
    await this.member(target).freeze(target.process);
  }

  async thaw(target: Target): Promise<void> {
    this.note(target, 'thaw');
    await this.member(target).thaw(target.process);
  }

  startAgain(target: Target): void {
    this.note(target, 'start');
    this.member(target).start(target.process);
  }

  async restart(target: Target): Promise<void> {
    this.note(target, 'restart');
    await this.member(target).restart(STOP_GRACE_MS, target.process);
  }

  /**
   * Drops packets from `from` to `to` and, unless one way, back. Both are names of members or of groups of them; processes
   * on this machine outside the cluster still reach everybody.
   * @throws Error if the cluster has no network of its own, RangeError if a name means nobody.
   */
  async cut(from: string, to: string, isOneWay = false): Promise<void> {
    const ends = this.endsMeant(from, to);
    this.noteNetwork(`cut ${from} ${to}${isOneWay ? ', one way' : ''}`, ends);
    await this.networkOrThrow().cut(ends, isOneWay);
    this.changed();
  }

  /** Holds up packets between members, in both directions; `to` is everybody unless given. */
  async slow(from: string, to: string | undefined, slowness: Slowness): Promise<void> {
    const ends = this.endsMeant(from, to ?? 'all');
    const { delayMs, jitterMs, lossPercent } = slowness;
    this.noteNetwork(`slow ${from} ${to ?? 'all'}: ${delayMs} ms ± ${jitterMs} ms, loss ${lossPercent} %`, ends);
    await this.networkOrThrow().slow(ends, slowness);
    this.changed();
  }

  /** Takes back every `cut` and `slow` between members; both are everybody unless given. */
  async heal(from = 'all', to = 'all'): Promise<void> {
    const ends = this.endsMeant(from, to);
    this.noteNetwork(`heal ${from} ${to}`, ends);
    await this.networkOrThrow().heal(ends);
    this.changed();
  }

  private memberOf({ place, specs }: MemberParts): Member {
    return new Member(place, specs, this.listenerOf(place.name));
  }

  private roleWatchOf(node: NodePlace): RoleWatch {
    return new RoleWatch(roleServerUrl(this.layout, node), () => this.roleChanged(node.name));
  }

  private endsMeant(from: string, to: string): Ends {
    const members = [...this.members.values()].map(({ place: { name, kind } }) => ({
      name,
      kind,
      role: this.roles.get(name)?.role ?? null,
    }));
    return { from: membersMeant(from, members), to: membersMeant(to, members) };
  }

  private networkOrThrow(): ClusterNetwork {
    if (this.network === null)
      throw new Error(
        'the members share the network of this machine: start the cluster with --netns to cut them from each other',
      );
    return this.network;
  }

  private noteNetwork(text: string, { from, to }: Ends): void {
    this.happened('network', from.join(','), `${text} (to ${to.join(',')})`);
  }

  private member(target: Target): Member {
    const member = this.members.get(target.member);
    if (member === undefined) {
      throw new RangeError(
        `no member ${JSON.stringify(target.member)}; there are: ${[...this.members.keys()].join(', ')}`,
      );
    }
    return member;
  }

  private async stopInOrder(members: readonly Member[], graceMs: number): Promise<void> {
    const servers = members.filter((member) => member.place.kind === 'consul server');
    const others = members.filter((member) => member.place.kind !== 'consul server');
    await Promise.all(others.map((member) => member.stopServices(graceMs)));
    await Promise.all(others.map((member) => member.stop(graceMs)));
    await Promise.all(servers.map((member) => member.stop(graceMs)));
  }

  private listenerOf(member: string): Listener {
    return {
      onStarted: (process, pid) => this.happened('process.started', member, `started as ${pid}`, process),
      onExited: (process, exit, restartInMs) => {
        const how = exit.signal ?? `code ${exit.code ?? 'unknown'}`;
        const next = restartInMs === null ? 'stays down' : `starts again in ${restartInMs} ms`;
        this.happened('process.exited', member, `${exit.pid} ended by ${how}; ${next}`, process);
      },
    };
  }

  private roleChanged(node: string): void {
    this.happened('role.changed', node, this.roles.get(node)?.role ?? 'no answer');
  }

  private note(target: Target, text: string): void {
    this.happened('command', target.member, text, target.process);
  }

  private happened(event: ClusterEvent['event'], member: string, text: string, process?: string): void {
    const whole: ClusterEvent = { at: Date.now(), event, member, text, ...(process === undefined ? {} : { process }) };
    this.log.write(whole);
    this.emit('event', whole);
    this.changed();
  }

  private changed(): void {
    const text = `${JSON.stringify(this.describe(), null, 2)}\n`;
    if (text === this.written) return;
    this.written = text;
    // It holds passwords: for its owner only.
    replaceFile(join(this.layout.workdir, 'cluster.json'), text, 0o600);
    this.emit('change');
  }
}

interface MemberParts {
  readonly place: MemberPlace;
  readonly specs: readonly ProcessSpec[];
}

function memberParts(context: SpecContext): MemberParts[] {
  const { servers, nodes, loadBalancers } = context.layout;
  return [
    ...servers.map(({ name, dir }) => partsOf(context, { name, dir, kind: 'consul server' }, [])),
    ...nodes.map((node) => nodeParts(context, node)),
    ...loadBalancers.map((lb) =>
      partsOf(context, { name: lb.name, dir: lb.dir, kind: 'load balancer' }, loadBalancerSpecs(context, lb)),
    ),
  ];
}

function nodeParts(context: SpecContext, node: NodePlace): MemberParts {
  const { name, dir, dataDir } = node;
  return partsOf(context, { name, dir, dataDir, kind: 'node' }, nodeSpecs(context, node));
}

function partsOf(context: SpecContext, place: MemberPlace, specs: readonly ProcessSpec[]): MemberParts {
  return { place, specs: [consulSpec(context, place.name, place.dir), ...specs] };
}
