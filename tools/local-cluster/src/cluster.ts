import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Table from 'cli-table3';
import { Command, InvalidArgumentError } from 'commander';
import type { ClusterFile } from './cluster-file';
import { addClusterOptions, clusterOptions, collectSetting } from './command-options';
import { askOwner, type Command as ControlCommand } from './control';
import { runDaemon } from './daemon';
import { startDaemon } from './daemon-start';
import { addNetworkCommands } from './network-commands';
import { parseCount } from './options';
import { controlSocket } from './owner';
import { describeProcesses } from './process-table';
import { processesUnder } from './processes';
import { parseTarget } from './target';
import { IDLE_LIMITS, aboveLimits, measureUsage, type Usage } from './usage';
import { waitFor } from './waiting';

/** Stopping in order is bounded by 5 s for each of three stages. */
const DOWN_MS = 30_000;

const program = new Command('cluster').description('Starts and drives a cluster of real processes on this machine.');

addClusterOptions(program.command('up'))
  .description('start a cluster in the background; returns when it has a Master and all Replicas stream')
  .action(async (_, command: Command) => {
    const options = clusterOptions(command);
    print(`Starting in ${options.workdir} …`);
    const daemon = await startDaemon(options, false);
    daemon.unref();
    print(`The cluster is up. Its addresses, passwords and processes: ${join(options.workdir, 'cluster.json')}`);
    print(`End it with: tools/cluster down --workdir ${options.workdir}`);
  });

addClusterOptions(program.command('daemon', { hidden: true }))
  .option('--until-stdin-ends', 'end when standard input does', false)
  .action(async (given: { untilStdinEnds: boolean }, command: Command) =>
    runDaemon(clusterOptions(command), given.untilStdinEnds),
  );

withWorkdir(program.command('down'))
  .description('end all processes of a cluster; its data stays')
  .option('--purge', 'remove the work directory as well', false)
  .action(async (given: { workdir: string; purge: boolean }) => {
    const workdir = resolve(given.workdir);
    await bringDown(workdir);
    if (given.purge) rmSync(workdir, { recursive: true, force: true });
  });

withWorkdir(program.command('status'))
  .description('show the members and their processes')
  .option('--json', 'print cluster.json', false)
  .option('--usage <seconds>', 'measure memory and processor time for so long', (text) =>
    asArgument(() => parseCount('--usage', text, 1, 3_600)),
  )
  .option(
    '--check-limits',
    `with --usage: fail if a service uses ${IDLE_LIMITS.cpuPercent} % of a core, or ${IDLE_LIMITS.residentMiB} MiB, or more`,
    false,
  )
  .action(async (given: { workdir: string; json: boolean; usage?: number; checkLimits: boolean }) => {
    const cluster = (await ask(given.workdir, { do: 'status' })) as ClusterFile;
    if (given.checkLimits && given.usage === undefined) throw new Error('--check-limits needs --usage SECONDS');
    if (given.usage !== undefined) await showUsage(cluster, given.usage, given.checkLimits);
    else print(given.json ? JSON.stringify(cluster, null, 2) : describeProcesses(cluster));
  });

targeted(
  'kill',
  'kill (SIGKILL) a process, which is started again as Kubernetes would, or a whole node, which stays down',
)
  .option('--keep-down', 'do not start the process again', false)
  .action(async (target: string, given: { workdir: string; keepDown: boolean }) => {
    await ask(given.workdir, { do: 'kill', target, keepDown: given.keepDown });
  });

const PLAIN = {
  freeze: 'stop processes where they are (SIGSTOP); NODE/postgres: all of PostgreSQL',
  thaw: 'let frozen processes go on (SIGCONT)',
  start: 'start what is kept down',
  restart: 'end a process, or all of a node, in order and start it again',
} as const;

for (const [name, description] of Object.entries(PLAIN) as [keyof typeof PLAIN, string][]) {
  targeted(name, description).action(async (target: string, given: { workdir: string }) => {
    await ask(given.workdir, { do: name, target });
  });
}

withWorkdir(program.command('add'))
  .description('start one more node, which joins by a base backup; returns when its processes run')
  .argument('<NODE>', 'its name: node0 to node8, one that is not taken')
  .option(
    '--set <option=value>',
    'an option of its services, as in noLoadBalance=true; may be repeated',
    collectSetting,
    {},
  )
  .action(async (node: string, given: { workdir: string; set: Readonly<Record<string, string>> }) => {
    await ask(given.workdir, { do: 'add', node, settings: given.set });
  });

withWorkdir(program.command('remove'))
  .description('stop a node for good, and remove its data; not the Master')
  .argument('<NODE>', 'its name, as in node2')
  .action(async (node: string, given: { workdir: string }) => {
    await ask(given.workdir, { do: 'remove', node });
  });

addNetworkCommands(program, ask);

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

function withWorkdir(command: Command): Command {
  return command.requiredOption('--workdir <dir>', 'the work directory of the cluster');
}

function targeted(name: string, description: string): Command {
  return withWorkdir(program.command(name))
    .description(description)
    .argument('<NODE[/PROCESS]>', 'such as node0, node0/postgres, lb0/haproxy, consul0', (text) =>
      asArgument(() => (parseTarget(text), text)),
    );
}

async function ask(workdir: string, command: ControlCommand): Promise<unknown> {
  return askOwner(controlSocket(resolve(workdir)), command);
}

async function bringDown(workdir: string): Promise<void> {
  const file = join(workdir, 'cluster.json');
  if (!existsSync(file)) throw new Error(`no cluster in ${workdir}`);
  const { owner } = JSON.parse(readFileSync(file, 'utf8')) as ClusterFile;
  await ask(workdir, { do: 'down' });
  await waitFor(() => processesUnder(workdir).length === 0 && !isAlive(owner.pid), {
    what: 'the end of the cluster',
    timeoutMs: DOWN_MS,
  });
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function showUsage(cluster: ClusterFile, seconds: number, checkLimits: boolean): Promise<void> {
  const usages = await measureUsage(cluster, seconds);
  print(usageTable(usages));
  const above = usages.flatMap((usage) =>
    (aboveLimits(usage) ?? []).map((what) => `${usage.member}/${usage.process}: ${what}`),
  );
  if (checkLimits && above.length > 0) throw new Error(`above what a service may use while idle: ${above.join(', ')}`);
}

function usageTable(usages: readonly Usage[]): string {
  const table = new Table({
    head: ['MEMBER', 'PROCESS', 'PID', 'MiB', '% OF A CORE', 'LIMITS'],
    style: { head: [], border: [], compact: true },
  });
  for (const usage of usages) {
    const { member, process, pid, residentMiB, cpuPercent } = usage;
    const above = aboveLimits(usage);
    const verdict = above === null ? '' : above.length === 0 ? 'met' : `above: ${above.join(', ')}`;
    table.push([member, process, pid, residentMiB.toFixed(1), cpuPercent.toFixed(2), verdict]);
  }
  return table.toString();
}

function asArgument<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
