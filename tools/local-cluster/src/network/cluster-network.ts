import { DelayDevice } from './delay-device';
import type { SlowWays } from './delay-queue';
import { ip } from './ip';
import { cutLinks, healLinks, rulesOf, slowLinks, type Ends, type Link, type Slowness } from './links';
import { connectMember, disconnectMember, makeNamespaces, removeNamespaces } from './namespaces';
import { addressOf, hubNamespace, type NetworkPlace } from './place';

/** The network of a cluster whose members live in namespaces of their own, and what is wrong with it now. */
export class ClusterNetwork {
  private links: readonly Link[] = [];
  private rules: readonly string[] = [];
  private readonly delays: DelayDevice;
  /** One change at a time. */
  private last: Promise<void> = Promise.resolve();

  /** @param onLost called when links that are to be slow are not any more, with the reason. */
  constructor(
    private readonly place: NetworkPlace,
    workdir: string,
    onLost: (why: string) => void,
  ) {
    this.delays = new DelayDevice(place, workdir, onLost);
  }

  /** Makes the namespaces of all members. The cluster's guard removes them. */
  async open(members: readonly string[]): Promise<void> {
    await removeNamespaces(this.place);
    await makeNamespaces(this.place, members);
  }

  /** One more member. What was held against a former one of its name was taken back when that left. */
  async add(member: string): Promise<void> {
    await connectMember(this.place, member);
  }

  /** Its namespace is gone afterwards, and what is wrong with the ways to it as well. */
  async remove(member: string, others: readonly string[]): Promise<void> {
    await this.heal({ from: [member], to: others });
    await disconnectMember(this.place, member);
  }

  /** What is wrong now. */
  get faults(): readonly Link[] {
    return this.links;
  }

  /** Drops packets from one group to the other and, unless it is one way, back. Connections stall; nobody is told. */
  cut(ends: Ends, isOneWay: boolean): Promise<void> {
    return this.change((links) => cutLinks(links, ends, isOneWay));
  }

  /** Holds up packets between two groups. */
  slow(ends: Ends, slowness: Slowness): Promise<void> {
    return this.change((links) => slowLinks(links, ends, slowness));
  }

  /** Nothing is wrong any more between two groups. */
  heal(ends: Ends): Promise<void> {
    return this.change((links) => healLinks(links, ends));
  }

  private change(next: (links: readonly Link[]) => readonly Link[]): Promise<void> {
    const done = this.last.then(() => this.apply(next(this.links)));
    this.last = done.catch(() => undefined);
    return done;
  }

  private async apply(links: readonly Link[]): Promise<void> {
    const addressIn = (member: string) => addressOf(this.place, member);
    const ways = slowWaysOf(links, addressIn);
    if (Object.keys(ways).length > 0) await this.delays.hold(ways);
    const rules = rulesOf(links, addressIn);
    const without = (all: readonly string[], some: readonly string[]) => all.filter((rule) => !some.includes(rule));
    const commands = [
      ...without(this.rules, rules).map((rule) => `rule delete ${rule}`),
      ...without(rules, this.rules).map((rule) => `rule add ${rule}`),
    ];
    if (commands.length > 0) await ip(['-n', hubNamespace(this.place)], commands);
    this.rules = rules;
    this.links = links;
    if (Object.keys(ways).length === 0) await this.delays.close();
  }
}

function slowWaysOf(links: readonly Link[], addressIn: (member: string) => string): SlowWays {
  return Object.fromEntries(
    links.flatMap(({ from, to, slowness }) =>
      slowness === null ? [] : [[`${addressIn(from)}>${addressIn(to)}`, slowness]],
    ),
  );
}
