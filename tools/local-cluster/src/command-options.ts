import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { NODES_MAX } from './layout';
import { DEFAULT_SIZE, defaultWorkdir, parseCount, parseSetting, type ClusterOptions } from './options';

interface GivenOptions {
  readonly nodes: number;
  readonly loadBalancers: number;
  readonly consulServers: number;
  readonly workdir?: string;
  readonly replication?: string;
  readonly set: Readonly<Record<string, string>>;
  readonly netns: boolean;
  readonly clocks: boolean;
  readonly nodePrefix?: string;
}

/** Adds the options that say what kind of cluster to start; `clusterOptions` reads them. */
export function addClusterOptions(command: Command): Command {
  return command
    .option('--nodes <count>', `database nodes, 1 to ${NODES_MAX}`, count('--nodes', 1, NODES_MAX), DEFAULT_SIZE.nodes)
    .option(
      '--load-balancers <count>',
      'load balancers, 1 to 5',
      count('--load-balancers', 1, 5),
      DEFAULT_SIZE.loadBalancers,
    )
    .option(
      '--consul-servers <count>',
      'Consul servers, 1 to 5',
      count('--consul-servers', 1, 5),
      DEFAULT_SIZE.consulServers,
    )
    .option(
      '--workdir <dir>',
      'where everything of the cluster lies; default: a new one in the place for temporary files',
    )
    .addOption(
      new Option('--replication <mode>', 'who confirms a commit; as --set replication=MODE').choices([
        'async',
        'sync',
        'quorum',
      ]),
    )
    .option(
      '--set <option=value>',
      'an option of the services, as in leaseDuration=5s; may be repeated',
      collectSetting,
      {},
    )
    .option('--netns', 'every member in a network namespace of its own, for cut and slow; needs root on Linux', false)
    .option('--clocks', 'every node with a wall clock that its file `clock` sets (+3600); needs libfaketime', false)
    .addOption(
      new Option('--node-prefix <text>', "what the nodes' names begin with; default: node").conflicts('netns'),
    );
}

/** Reads what `addClusterOptions` added. */
export function clusterOptions(command: Command): ClusterOptions {
  const { nodes, loadBalancers, consulServers, workdir, set, replication, netns, clocks, nodePrefix } =
    command.opts<GivenOptions>();
  const settings = replication === undefined ? set : { ...set, replication };
  return {
    nodes,
    loadBalancers,
    consulServers,
    workdir: resolve(workdir ?? defaultWorkdir()),
    settings,
    netns,
    clocks,
    ...(nodePrefix === undefined ? {} : { nodePrefix }),
  };
}

/** The options as arguments again, for a process that is to start the same cluster. */
export function clusterArguments(options: ClusterOptions): string[] {
  return [
    ...['--nodes', String(options.nodes)],
    ...['--load-balancers', String(options.loadBalancers)],
    ...['--consul-servers', String(options.consulServers)],
    ...['--workdir', options.workdir],
    ...Object.entries(options.settings).flatMap(([option, value]) => ['--set', `${option}=${value}`]),
    ...(options.netns === true ? ['--netns'] : []),
    ...(options.clocks === true ? ['--clocks'] : []),
    ...(options.nodePrefix === undefined ? [] : ['--node-prefix', options.nodePrefix]),
  ];
}

/** A parser of whole numbers within bounds, for commander. */
export function count(name: string, minimum: number, maximum: number): (text: string) => number {
  return (text) => asArgument(() => parseCount(name, text, minimum, maximum));
}

export function collectSetting(
  text: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const [option, value] = asArgument(() => parseSetting(text));
  return { ...before, [option]: value };
}

function asArgument<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
