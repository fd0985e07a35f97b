import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { addClusterOptions, clusterOptions, count } from './command-options';
import { runChaos } from './demo/chaos';
import { openLocalTheatre } from './demo/local-theatre';
import { runDemo, type DemoOptions } from './demo/run-demo';
import { KUBERNETES_SCENARIOS, LOCAL_SCENARIOS, type Scenario } from './demo/scenario';
import { openKubernetesTheatre } from './kubernetes/kubernetes-theatre';
import type { ClusterOptions } from './options';
import { whenToldToEnd } from './owner';

interface Given {
  readonly scenario: Scenario | 'chaos';
  readonly minutes: number;
  readonly seed: number;
  readonly once: boolean;
  readonly json?: string;
  readonly workdir?: string;
  readonly kubernetes?: string;
  readonly context?: string;
}

const LOCAL = [...LOCAL_SCENARIOS, 'chaos'] as const;
const ALL_SCENARIOS = [...new Set([...LOCAL, ...KUBERNETES_SCENARIOS])];
/** What says how a cluster of processes is started, and what only such a one can show. */
const OF_THIS_MACHINE = [
  ...['nodes', 'loadBalancers', 'consulServers', 'workdir', 'replication', 'set', 'netns', 'clocks', 'nodePrefix'],
  ...['minutes', 'seed'],
];

const program = addClusterOptions(new Command('demo'))
  .description('Starts a cluster on this machine, writes to it through a load balancer, and lets its Master die.')
  .addOption(
    new Option('--scenario <name>', 'what happens once the cluster has settled')
      .choices(ALL_SCENARIOS)
      .default('kill-master'),
  )
  .option('--minutes <count>', 'chaos: for how long there are faults', count('--minutes', 1, 600), 10)
  .option('--seed <number>', 'chaos: the same faults in the same order', count('--seed', 0, 9999), Date.now() % 10_000)
  .option('--once', 'end after the scenario; exit code 0 only if a new Master took writes', false)
  .option('--json <file>', 'write what was measured to a file')
  .addOption(
    new Option(
      '--kubernetes <namespace>',
      'on the installation of the chart in this namespace, reached by kubectl, and not on this machine',
    ).conflicts(OF_THIS_MACHINE),
  )
  .option('--context <name>', 'with --kubernetes: of the kubeconfig; default: the current one')
  .action(async (given: Given, command: Command) => {
    requireScenario(given);
    const told = new AbortController();
    whenToldToEnd((why) => told.abort(new Error(why)));
    const cluster = clusterOptions(command);
    const json = given.json === undefined ? null : resolve(given.json);
    const { scenario, once, minutes, seed } = given;
    const output = process.stdout;
    const succeeded =
      scenario === 'chaos'
        ? await runChaos({ cluster, minutes, seed, json, output }, told.signal)
        : await runDemo({ ...placeOf(given, cluster), scenario, once, json, output }, told.signal);
    // After a failure the logs are wanted.
    if (given.workdir === undefined && (succeeded || told.signal.aborted)) {
      rmSync(cluster.workdir, { recursive: true, force: true });
    }
    process.exit(succeeded ? 0 : 1);
  });

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});

/** Where it is shown. */
function placeOf(
  { kubernetes: namespace, context }: Given,
  cluster: ClusterOptions,
): Pick<DemoOptions, 'open' | 'opening'> {
  if (namespace !== undefined) {
    return {
      opening: `Looking at namespace ${namespace}`,
      open: (signal) => openKubernetesTheatre({ namespace, context: context ?? null }, signal),
    };
  }
  const { nodes, loadBalancers, consulServers, workdir } = cluster;
  return {
    opening: `Starting ${nodes} nodes, ${loadBalancers} load balancers, ${consulServers} Consul server(s) in ${workdir}`,
    open: (signal) => openLocalTheatre(cluster, signal),
  };
}

function requireScenario({ kubernetes, context, scenario }: Given): void {
  const possible: readonly string[] = kubernetes === undefined ? LOCAL : KUBERNETES_SCENARIOS;
  const where = kubernetes === undefined ? 'on this machine' : 'on Kubernetes';
  if (!possible.includes(scenario)) program.error(`error: ${where} the scenarios are ${possible.join(', ')}`);
  if (context !== undefined && kubernetes === undefined) program.error('error: --context goes with --kubernetes');
}
