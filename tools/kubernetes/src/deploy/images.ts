/** Where the chart takes each image from: those that are built here, by their target of deploy/docker/Dockerfile. */
export const VALUE_OF_IMAGE = {
  'ha-postgres': 'db.postgres.image',
  'db-controller': 'db.controller.image',
  'role-server': 'db.roleServer.image',
  'lb-syncer': 'lb.syncer.image',
} as const;

/** Images that are taken as they are, if one of these variables names others than the official ones (tools/base-images). */
export const VALUE_OF_VARIABLE = { HAPROXY_IMAGE: 'lb.haproxy.image', CONSUL_IMAGE: 'consul.image' } as const;

/**
 * Built images get this before their name. The registry is said: podman would add it, docker another, and a pod's image must
 * be found under the very name that it has in the archive.
 */
export const LOCAL_PREFIX = 'localhost/ha-postgres/';

/** An image that is here, and under which name the cluster is to have it. */
export interface Shipped {
  readonly value: string;
  readonly here: string;
  readonly there: string;
}

/** What an image is called in a registry: the last part of its name, below `registry`. */
const renamed = (image: string, registry: string): string => `${registry}/${image.split('/').at(-1) ?? image}`;

/** The images of a deployment. `registry`: where the cluster takes them from; null: they are put into it under the names they have here. */
export function shippedImages(
  tag: string,
  registry: string | null,
  environment: Readonly<Record<string, string | undefined>>,
): readonly Shipped[] {
  const thereOf = (here: string): string => (registry === null ? here : renamed(here, registry));
  const built = Object.entries(VALUE_OF_IMAGE).map(([target, value]) => {
    const here = `${LOCAL_PREFIX}${target}:${tag}`;
    return { value, here, there: thereOf(here) };
  });
  const given = Object.entries(VALUE_OF_VARIABLE).flatMap(([variable, value]) => {
    const here = environment[variable] ?? '';
    // One of a registry is pulled by the cluster itself.
    return here === '' ? [] : [{ value, here, there: here.startsWith('localhost/') ? thereOf(here) : here }];
  });
  return [...built, ...given];
}

/** It is on this machine only. */
export const isLocal = ({ here }: Shipped): boolean => here.startsWith('localhost/');
