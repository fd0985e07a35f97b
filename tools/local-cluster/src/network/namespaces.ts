import { inNamespace, ip, run } from './ip';
import { addressOf, hubAddress, hubNamespace, namespaceOf, observerAddress, type NetworkPlace } from './place';

/** The hub's port to the host; those to the members have the members' names. */
const OBSERVER_PORT = 'observer';

/**
 * Makes the namespaces of a cluster: one for each member, and a hub that routes between them. Routing instead of a bridge:
 * whatever is wrong with a way is made in the hub by routing rules, which every kernel has, and its ends cannot tell it from a
 * network that is silent. On the host there is one interface, named as the cluster's network, and the route by it.
 */
export async function makeNamespaces(place: NetworkPlace, members: readonly string[]): Promise<void> {
  const hub = hubNamespace(place);
  await ip(['netns', 'add', hub]);
  await ip(['-n', hub], ['link set dev lo up', `address add ${hubAddress(place)}/32 dev lo`]);
  const [command, args] = inNamespace(hub, '/bin/sh', ['-c', ROUTER]);
  await run(command, args);
  await connectHost(place);
  for (const member of members) await connectMember(place, member);
}

/** What came over one port is not expected to be answered over the same: what is held up comes back by another. */
const ROUTER = `
echo 1 > /proc/sys/net/ipv4/ip_forward
for scope in all default; do echo 0 > /proc/sys/net/ipv4/conf/$scope/rp_filter; done
`;

async function connectHost(place: NetworkPlace): Promise<void> {
  const [hub, address, self] = [hubNamespace(place), hubAddress(place), observerAddress(place)];
  await ip(
    [],
    [
      `link add name ${place.id} type veth peer name ${OBSERVER_PORT} netns ${hub}`,
      `address add ${self}/32 dev ${place.id}`,
      `link set dev ${place.id} up`,
      `route add ${address}/32 dev ${place.id}`,
      `route add ${place.subnet}.0/24 via ${address} dev ${place.id} src ${self}`,
    ],
  );
  await ip(['-n', hub], [`link set dev ${OBSERVER_PORT} up`, `route add ${self}/32 dev ${OBSERVER_PORT}`]);
}

/** The namespace of a member, and its way to the hub. */
export async function connectMember(place: NetworkPlace, member: string): Promise<void> {
  const [hub, namespace] = [hubNamespace(place), namespaceOf(place, member)];
  const [gateway, address] = [hubAddress(place), addressOf(place, member)];
  await ip(['netns', 'add', namespace]);
  await ip(
    ['-n', hub],
    [
      `link add name ${member} type veth peer name eth0 netns ${namespace}`,
      `link set dev ${member} up`,
      `route add ${address}/32 dev ${member}`,
    ],
  );
  await ip(
    ['-n', namespace],
    [
      'link set dev lo up',
      `address add ${address}/32 dev eth0`,
      'link set dev eth0 up',
      `route add ${gateway}/32 dev eth0`,
      `route add default via ${gateway} dev eth0`,
    ],
  );
}

/** The way first: with its namespace it would be gone some time later only, and its name in use till then. */
export async function disconnectMember(place: NetworkPlace, member: string): Promise<void> {
  await ip(['-n', hubNamespace(place)], [`link delete dev ${member}`]);
  await ip(['netns', 'delete', namespaceOf(place, member)]);
}

/** A shell function `remove_network ID`: what `makeNamespaces` made is gone afterwards. Names of other clusters are left alone. */
export const REMOVE_NETWORK = `
remove_network() {
  ip link delete dev "$1" 2>/dev/null
  for namespace in /run/netns/"$1"-*; do
    if [ -e "$namespace" ]; then ip netns delete "\${namespace##*/}"; fi
  done
}
`;

/** Removes what an owner left that was killed together with its guard. */
export async function removeNamespaces(place: NetworkPlace): Promise<void> {
  await run('/bin/sh', ['-c', `${REMOVE_NETWORK}remove_network "$1"`, 'hapg-network', place.id]);
}
