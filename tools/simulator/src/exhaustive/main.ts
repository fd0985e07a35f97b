import { dirname } from 'node:path';
import { Command } from 'commander';
import { runExhaustive } from './run';

const root = dirname(dirname(dirname(__dirname)));

const program = new Command('exhaustive')
  .description('goes through every interleaving of the lease protocol, by the code that runs in production')
  .option('--only <name>', 'this configuration only, or mutations whose names contain this')
  .option('--mutations', 'makes each mistake of the list in the sources, and must find it')
  .option('--trace', 'with --mutations: tells how each was found')
  .parse();

const print = (line: string): void => void process.stdout.write(`${line}\n`);
runExhaustive({ root, print, ...program.opts<{ only?: string; mutations?: boolean; trace?: boolean }>() }).then(
  (isGood) => process.exit(isGood ? 0 : 1),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(70);
  },
);
