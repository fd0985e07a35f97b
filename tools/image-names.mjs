// Names of the images: IMAGE_PREFIX (ha-postgres/), the target, IMAGE_TAG (the version).
const PREFIX = 'ha-postgres/';

/** The targets of deploy/docker/Dockerfile, and the official image that each stands on unless told otherwise. */
export const IMAGES = {
  'ha-postgres': { argument: 'POSTGRES_IMAGE', base: 'docker.io/library/postgres:17-bookworm', megabytesMax: 130 },
  'db-controller': { argument: 'NODE_IMAGE', base: 'docker.io/library/node:24-bookworm-slim', megabytesMax: 15 },
  'role-server': { argument: 'NODE_IMAGE', base: 'docker.io/library/node:24-bookworm-slim', megabytesMax: 15 },
  'lb-syncer': { argument: 'NODE_IMAGE', base: 'docker.io/library/node:24-bookworm-slim', megabytesMax: 15 },
};

export function imageTag(target, version, environment = process.env) {
  const { IMAGE_PREFIX: prefix = PREFIX, IMAGE_TAG: tag = version } = environment;
  return `${prefix}${target}:${tag}`;
}
