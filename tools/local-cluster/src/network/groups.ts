import type { Role } from '@ha-postgres/cluster-state';

export interface KnownMember {
  readonly name: string;
  readonly kind: 'node' | 'load balancer' | 'consul server';
  /** A node's role now; null: unknown, or no node. */
  readonly role: Role | null;
}

type IsIn = (member: KnownMember) => boolean;

const GROUPS: ReadonlyMap<string, IsIn> = new Map(
  Object.entries<IsIn>({
    all: () => true,
    nodes: ({ kind }) => kind === 'node',
    master: ({ role }) => role === 'Master',
    replicas: ({ role }) => role === 'Replica',
    lbs: ({ kind }) => kind === 'load balancer',
    consul: ({ kind }) => kind === 'consul server',
  }),
);

export const GROUP_NAMES: readonly string[] = [...GROUPS.keys()];

/**
 * The names of the members that a word means: one member's name, or a group (a node's Consul agent belongs to the node).
 * Roles count as they are now.
 * @throws RangeError if it means none; the message says what there is.
 */
export function membersMeant(word: string, members: readonly KnownMember[]): string[] {
  const isIn = GROUPS.get(word) ?? (({ name }: KnownMember) => name === word);
  const meant = members.filter(isIn).map(({ name }) => name);
  if (meant.length > 0) return meant;
  const names = members.map(({ name }) => name).join(', ');
  throw new RangeError(
    `${JSON.stringify(word)} means no member now; there are: ${names}; and: ${GROUP_NAMES.join(', ')}`,
  );
}
