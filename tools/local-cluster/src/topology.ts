import { rmSync } from 'node:fs';
import { NODES_MAX, nodePlace, writeLayout, type Layout, type NodePlace } from './layout';
import { freePorts } from './ports';
import { consulUrl } from './process-specs';

const PORTS_OF_NODE = 5;
const LEAVE_MS = 5_000;

/**
 * The layout with one more node, written to the work directory.
 * @throws RangeError if the name is none of a node, or taken.
 */
export async function withNode(
  layout: Layout,
  name: string,
  settings: Readonly<Record<string, string>>,
): Promise<{ layout: Layout; node: NodePlace }> {
  if (!/^node\d$/.test(name)) {
    throw new RangeError(`${JSON.stringify(name)} is no name of a node: give node0 to node${NODES_MAX - 1}`);
  }
  if (layout.nodes.some((node) => node.name === name)) throw new RangeError(`${name} is in the cluster already`);
  const node = { ...nodePlace(layout.workdir, name, await otherPorts(layout)), settings };
  const grown = { ...layout, nodes: [...layout.nodes, node] };
  writeLayout(grown);
  return { layout: grown, node };
}

/** The layout without a node, written to the work directory; what lies in the node's own directory is gone. */
export function withoutNode(layout: Layout, node: NodePlace): Layout {
  const smaller = { ...layout, nodes: layout.nodes.filter(({ name }) => name !== node.name) };
  writeLayout(smaller);
  rmSync(node.dir, { recursive: true, force: true });
  return smaller;
}

/** Its agent takes the node out of Consul's catalogue. Best effort: an agent that is down cannot. */
export async function leaveConsul(layout: Layout, node: NodePlace): Promise<void> {
  const url = `${consulUrl(layout, node.name, node.agent)}/v1/agent/leave`;
  await fetch(url, { method: 'PUT', signal: AbortSignal.timeout(LEAVE_MS) }).catch(() => undefined);
}

/** Done when it has ended: the last thing that an agent does may be to enter itself again. Best effort as well. */
export async function forgetInConsul(layout: Layout, node: NodePlace): Promise<void> {
  const [server] = layout.servers;
  if (server === undefined) return;
  await fetch(`${consulUrl(layout, server.name, server)}/v1/catalog/deregister`, {
    method: 'PUT',
    body: JSON.stringify({ Node: node.name }),
    signal: AbortSignal.timeout(LEAVE_MS),
  }).catch(() => undefined);
}

/** A member that is down now holds on to its ports, though nobody listens there. */
async function otherPorts(layout: Layout): Promise<() => number> {
  const taken = new Set(portsIn(layout));
  const free = await freePorts(PORTS_OF_NODE + taken.size);
  const ports = free.filter((port) => !taken.has(port));
  return () => ports.pop() ?? 0;
}

function portsIn({ servers, nodes, loadBalancers }: Layout): number[] {
  const members: readonly object[] = [...servers, ...nodes, ...loadBalancers];
  const numbers = (place: object): number[] =>
    Object.values(place).flatMap((value: unknown) =>
      typeof value === 'number' ? [value] : typeof value === 'object' && value !== null ? numbers(value) : [],
    );
  return members.flatMap(numbers);
}
