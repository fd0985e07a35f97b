import { randomBytes } from 'node:crypto';

/** Where the network of one cluster lies: the names of its namespaces begin with `id`, its addresses with `subnet`. */
export interface NetworkPlace {
  /** Unique on this machine; at most 15 characters, as it names the host's end of the way in as well. */
  readonly id: string;
  /** The first three numbers of every address. */
  readonly subnet: string;
}

const FIRST_OF_KIND = { consul: 10, node: 30, lb: 60 } as const;
const HUB = 1;
const OBSERVER = 254;

/** A network with a new name, in a /24 that `isFree` accepts. */
export function newNetworkPlace(isFree: (subnet: string) => boolean): NetworkPlace {
  const id = `hapg${randomBytes(4).toString('hex')}`;
  for (let tries = 0; tries < 100; tries += 1) {
    const [second = 0, third = 0] = randomBytes(2);
    const subnet = `10.${64 + (second % 128)}.${third}`;
    if (isFree(subnet)) return { id, subnet };
  }
  throw new Error(
    'no free network found for the cluster in 10.64.0.0/9: 100 were tried, and this machine has routes to all',
  );
}

/** The namespace of a member. */
export function namespaceOf(place: NetworkPlace, member: string): string {
  return `${place.id}-${member}`;
}

/** The namespace that joins those of the members: no process of the cluster runs there. */
export function hubNamespace(place: NetworkPlace): string {
  return namespaceOf(place, 'hub');
}

export function hubAddress({ subnet }: NetworkPlace): string {
  return `${subnet}.${HUB}`;
}

/** The host's address in the cluster's network: clients and observers outside the cluster have it. No fault is made there. */
export function observerAddress({ subnet }: NetworkPlace): string {
  return `${subnet}.${OBSERVER}`;
}

/**
 * The address of a member, by its kind and number.
 * @throws RangeError for a name that is none of a member.
 */
export function addressOf({ subnet }: NetworkPlace, member: string): string {
  const [, kind = '', number = ''] = /^(consul|node|lb)(\d)$/.exec(member) ?? [];
  if (number === '') throw new RangeError(`${JSON.stringify(member)} is no name of a member`);
  return `${subnet}.${FIRST_OF_KIND[kind as keyof typeof FIRST_OF_KIND] + Number(number)}`;
}
