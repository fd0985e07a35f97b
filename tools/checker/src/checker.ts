import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { pause } from '@ha-postgres/service-kit';
import { checkHistory } from './check';
import { History, type NodePlace } from './history';
import { readEvents, readHistory } from './history-file';
import { startLoad } from './load';
import { PLANTS } from './plant';
import { parseAddress, parseNode, readTargets, type Address, type Targets } from './targets';
import { describeVerdict, type Verdict } from './verdict';

const EXIT = { fine: 0, wrong: 1, couldNotRun: 2 } as const;

interface GivenTargets {
  readonly cluster?: string;
  readonly master: readonly Address[];
  readonly node: readonly NodePlace[];
  readonly consul: readonly string[];
  readonly consulPrefix: string;
  readonly user: string;
  readonly database: string;
}

interface GivenRun extends GivenTargets, GivenAllowances {
  readonly every: number;
  readonly probeEvery: number;
  readonly timeout: number;
  readonly fresh: boolean;
  readonly seconds?: number;
  readonly history?: string;
}

interface GivenAllowances {
  readonly allowLost: number;
  readonly allowLate: number;
  readonly json?: string;
}

const program = new Command('checker').description(
  'Writes to a PostgreSQL cluster, records what was acknowledged, and checks it afterwards. Exit code 0: nothing is wrong; 1: something is; 2: it could not be run.',
);

// Before the commands are added: they take it over.
program.exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.fine : EXIT.couldNotRun));

withAllowances(program.command('run'))
  .description('write until told to end (--seconds, Ctrl-C), then check')
  .option('--cluster <file>', 'the cluster.json of a local cluster: gives all addresses, user and password')
  .option(
    '--master <host:port>',
    'a master port of a load balancer, to write through; may be repeated',
    collect(parseAddress),
    [],
  )
  .option('--node <name=host:port>', 'a node itself, to count writers; may be repeated', collect(parseNode), [])
  .option('--consul <url>', 'a Consul agent or server, to know terms; may be repeated', collect(String), [])
  .option('--consul-prefix <prefix>', 'where its keys are', 'service/postgres')
  .option('--user <name>', 'who writes; the password comes from PGPASSWORD', 'postgres')
  .option('--database <name>', 'where to', 'postgres')
  .option('--every <ms>', 'each client writes so often', wholeNumber(1), 10)
  .option('--probe-every <ms>', 'each node is tried so often; 0: never', wholeNumber(0), 200)
  .option('--timeout <ms>', 'a write has failed after', wholeNumber(1), 1_000)
  .option('--fresh', 'open a connection for each write', false)
  .option('--seconds <count>', 'end after', wholeNumber(1))
  .option('--history <file>', 'record here, a line of JSON for each event')
  .action(async (given: GivenRun) => {
    const told = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => told.abort());
    const load = await startLoad(
      {
        ...targetsFrom(given),
        clients: [{ everyMs: given.every, isFresh: given.fresh }],
        probeEveryMs: given.probeEvery === 0 ? null : given.probeEvery,
        timeoutMs: given.timeout,
        historyFile: given.history === undefined ? null : resolve(given.history),
      },
      told.signal,
    );
    print('Writing; Ctrl-C ends it.');
    await (given.seconds === undefined ? untilAborted(told.signal) : pause(given.seconds * 1_000, told.signal));
    conclude(await load.finish(given), given.json);
  });

withAllowances(program.command('check').argument('<history>', 'a recorded history'))
  .description('check a recorded history')
  .action((file: string, given: GivenAllowances) => conclude(checkHistory(readHistory(file), given), given.json));

program
  .command('plant')
  .description('spoil copies of a recorded history, once for each kind of violation, and show that each is found')
  .argument('<history>', 'a recorded history')
  .action((file: string) => {
    const events = readEvents(file);
    const missed = Object.entries(PLANTS).filter(([name, { found, into }]) => {
      const { violations } = checkHistory(History.of(into(events)));
      const shown = violations.filter(({ kind }) => found.includes(kind));
      print(`${name}: ${shown.length === found.length ? 'found' : 'NOT FOUND'}`);
      for (const { kind, text } of shown) print(`  ${kind}: ${text}`);
      return shown.length !== found.length;
    });
    process.exitCode = missed.length === 0 ? EXIT.fine : EXIT.wrong;
  });

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = EXIT.couldNotRun;
});

function withAllowances(command: Command): Command {
  return command
    .option(
      '--allow-lost <count>',
      'so many acknowledged writes may be missing (asynchronous replication)',
      wholeNumber(0),
      0,
    )
    .option(
      '--allow-late <count>',
      'so many may be late (a node that thaws, asynchronous replication)',
      wholeNumber(0),
      0,
    )
    .option('--json <file>', 'write the verdict to a file');
}

function targetsFrom(given: GivenTargets): Targets {
  if (given.cluster !== undefined) return readTargets(given.cluster);
  if (given.master.length === 0) throw new Error('give --cluster FILE, or --master HOST:PORT');
  return {
    masters: given.master,
    nodes: given.node,
    user: given.user,
    password: process.env.PGPASSWORD ?? '',
    database: given.database,
    consul: given.consul.length === 0 ? null : { addresses: given.consul, prefix: given.consulPrefix },
  };
}

function conclude(verdict: Verdict, json: string | undefined): void {
  for (const line of describeVerdict(verdict)) print(line);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(verdict, null, 2)}\n`);
  process.exitCode = verdict.isFine ? EXIT.fine : EXIT.wrong;
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    else signal.addEventListener('abort', () => done(), { once: true });
  });
}

function collect<T>(read: (text: string) => T): (text: string, before: readonly T[]) => readonly T[] {
  return (text, before) => [...before, asArgument(() => read(text))];
}

function wholeNumber(minimum: number): (text: string) => number {
  return (text) =>
    asArgument(() => {
      const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
      if (!(value >= minimum)) throw new RangeError(`${JSON.stringify(text)}: a whole number from ${minimum}`);
      return value;
    });
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
