const FIXED = [
  'master',
  'initialize',
  'members',
  'sync',
  'lb',
  'config',
  'switchover',
  'pause',
  'history',
  'epoch',
  'override',
] as const;
const NODE_NAME = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;

/** Tag of an instance of the service that gets no clients of the standby port. */
export const NO_LOAD_BALANCE_TAG = 'noLoadBalance';

/** The keys of one cluster in Consul. */
export interface ClusterKeys {
  readonly prefix: string;
  readonly master: string;
  readonly initialize: string;
  readonly members: string;
  readonly sync: string;
  readonly config: string;
  readonly switchover: string;
  readonly override: string;
  readonly pause: string;
  readonly history: string;
  readonly epoch: string;
  /** Under which all load balancers report. */
  readonly loadBalancers: string;
  role(node: string): string;
  status(node: string): string;
  rejoin(node: string): string;
  lbStatus(name: string): string;
}

/**
 * Lays out the keys under a prefix such as `service/postgres`.
 * @throws RangeError if the prefix is empty or begins or ends with a slash.
 */
export function clusterKeys(prefix: string): ClusterKeys {
  if (prefix === '' || prefix.startsWith('/') || prefix.endsWith('/')) {
    throw new RangeError(`key prefix must not be empty, begin or end with "/": ${JSON.stringify(prefix)}`);
  }
  return {
    prefix,
    master: `${prefix}/master`,
    initialize: `${prefix}/initialize`,
    members: `${prefix}/members`,
    sync: `${prefix}/sync`,
    config: `${prefix}/config`,
    switchover: `${prefix}/switchover`,
    override: `${prefix}/override`,
    pause: `${prefix}/pause`,
    history: `${prefix}/history`,
    epoch: `${prefix}/epoch`,
    loadBalancers: `${prefix}/lb/`,
    role: (node) => `${prefix}/${node}/role`,
    status: (node) => `${prefix}/${node}/status`,
    rejoin: (node) => `${prefix}/${node}/rejoin`,
    lbStatus: (name) => `${prefix}/lb/${name}/status`,
  };
}

/** Says what is wrong with a node's name, or null. A name equal to a fixed key would share that key's place. */
export function nodeNameProblem(name: string): string | null {
  if (!NODE_NAME.test(name)) {
    return `node name ${JSON.stringify(name)}: 1 to 63 letters, digits, "-", "_" or ".", beginning and ending with a letter or digit`;
  }
  if ((FIXED as readonly string[]).includes(name))
    return `node name ${JSON.stringify(name)} is the name of a fixed key`;
  return null;
}

/** The ordinal at the end of a node's name (`ha-postgres-2` → 2): its slot in the standby backend; null if it has none. */
export function nodeOrdinal(name: string): number | null {
  const digits = /(\d{1,6})$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}
