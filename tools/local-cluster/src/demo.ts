import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { addClusterOptions, clusterOptions, count } from './command-options';
import { runChaos } from './demo/chaos';
import { runDemo } from './demo/run-demo';
import { SCENARIOS, type Scenario } from './demo/scenario';
import { whenToldToEnd } from './owner';

interface Given {
  readonly scenario: Scenario | 'chaos';
  readonly minutes: number;
  readonly seed: number;
  readonly once: boolean;
  readonly json?: string;
  readonly workdir?: string;
}

const program = addClusterOptions(new Command('demo'))
  .description('Starts a cluster on this machine, writes to it through a load balancer, and lets its Master die.')
  .addOption(
    new Option('--scenario <name>', 'what happens once the cluster has settled')
      .choices([...SCENARIOS, 'chaos'])
      .default('kill-master'),
  )
  .option('--minutes <count>', 'chaos: for how long there are faults', count('--minutes', 1, 600), 10)
  .option('--seed <number>', 'chaos: the same faults in the same order', count('--seed', 0, 9999), Date.now() % 10_000)
  .option('--once', 'end after the scenario; exit code 0 only if a new Master took writes', false)
  .option('--json <file>', 'write what was measured to a file')
  .action(async (given: Given, command: Command) => {
    const told = new AbortController();
    whenToldToEnd((why) => told.abort(new Error(why)));
    const cluster = clusterOptions(command);
    const json = given.json === undefined ? null : resolve(given.json);
    const { scenario, once, minutes, seed } = given;
    const output = process.stdout;
    const succeeded =
      scenario === 'chaos'
        ? await runChaos({ cluster, minutes, seed, json, output }, told.signal)
        : await runDemo({ cluster, scenario, once, json, output }, told.signal);
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
