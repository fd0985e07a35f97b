import { hostname, userInfo } from 'node:os';
import { Command as Parser, CommanderError, Option } from 'commander';
import { clusterKeys } from '@ha-postgres/cluster-state';
import { ConsulClient, consulSettingsFromEnvironment } from '@ha-postgres/consul-election';
import {
  CodedError,
  VERSION,
  codeOf,
  environmentNameOf,
  flagOf,
  messageOf,
  optionsMarkdown,
  readConfiguration,
  silentLog,
  type ConfigOf,
  type OptionSpecs,
} from '@ha-postgres/service-kit';
import { COMMANDS } from './commands';
import type { Command } from './command';
import { errors } from './errors';
import { options } from './options';
import type { Terminal } from './terminal';

export const EXIT = { ok: 0, failed: 1, usage: 2 } as const;

export interface Surroundings {
  readonly terminal: Terminal;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Runs one command line. Resolves with the exit code: 0 done, 1 refused or failed, 2 the command line is wrong. */
export async function runProgram(arguments_: readonly string[], surroundings: Surroundings): Promise<number> {
  const { terminal } = surroundings;
  const program = parserOf(surroundings);
  if (arguments_.includes('--print-options-markdown')) {
    terminal.print(optionsMarkdown(options).trimEnd());
    return EXIT.ok;
  }
  try {
    await program.parseAsync(arguments_, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (surroundings.signal.aborted) return EXIT.failed;
    terminal.note(`hapg: ${textOf(error)}`);
    return isUsage(error) ? EXIT.usage : EXIT.failed;
  }
}

function isUsage(error: unknown): boolean {
  return error instanceof CodedError && error.family === 'configuration';
}

function textOf(error: unknown): string {
  const code = codeOf(error);
  return code === undefined ? messageOf(error) : `${messageOf(error)} (${code})`;
}

function parserOf(surroundings: Surroundings): Parser {
  const { terminal } = surroundings;
  const program = new Parser('hapg')
    .description('Looks at a cluster and changes it. Exit codes: 0 done, 1 refused or failed, 2 wrong command line.')
    .version(VERSION)
    .helpCommand(false)
    .enablePositionalOptions();
  quiet(program, terminal);
  // Before the command or after it, as one likes.
  addOptions(program, options, true);
  for (const [name, command] of Object.entries<Command>(COMMANDS)) {
    const sub = program.command(name).description(command.description);
    quiet(sub, terminal);
    if (command.argument !== undefined)
      sub.argument(`<${command.argument.name.toUpperCase()}>`, command.argument.description);
    addOptions(sub, command.options, false);
    addOptions(sub, options, true);
    sub.action(async (...given: unknown[]) => {
      const argument = command.argument === undefined ? '' : String(given[0]);
      await runCommand(command, argument, [program, sub], surroundings);
    });
  }
  return program;
}

/** commander ends no process and writes where the terminal is. */
function quiet(parser: Parser, terminal: Terminal): void {
  parser.exitOverride().configureOutput({
    writeOut: (text) => terminal.print(text.trimEnd()),
    writeErr: (text) => terminal.note(text.trimEnd()),
  });
}

function addOptions(parser: Parser, specs: OptionSpecs, fromEnvironment: boolean): void {
  for (const [name, spec] of Object.entries(specs)) {
    const flag = spec.type === 'boolean' ? flagOf(name, spec) : `${flagOf(name, spec)} <${spec.type}>`;
    const also = fromEnvironment ? ` (${environmentNameOf(name)})` : '';
    const option = new Option(flag, `${spec.description}${also}`);
    option.negate = false;
    parser.addOption(option);
  }
}

async function runCommand(
  command: Command,
  argument: string,
  parsers: readonly Parser[],
  { terminal, environment, signal }: Surroundings,
): Promise<void> {
  const config = read(options, parsers, environment);
  // What a command is told stands on its line only: a variable that was left behind must not name a Master.
  const given = read(command.options, parsers.slice(-1), {});
  const settings = consulSettings(environment, config.requestTimeout);
  const client = new ConsulClient(settings, { log: silentLog });
  try {
    const keys = clusterKeys(config.consulPrefix);
    await command.run({ config, keys, client, terminal, by: whoTypes(), signal }, given, argument);
  } finally {
    client.close();
  }
}

function consulSettings(environment: Surroundings['environment'], requestTimeoutMs: number) {
  try {
    return { ...consulSettingsFromEnvironment(environment), requestTimeoutMs };
  } catch (error) {
    throw errors.HAPG_COMMAND_INVALID(messageOf(error), { cause: error });
  }
}

function read<T extends OptionSpecs>(
  specs: T,
  parsers: readonly Parser[],
  environment: Readonly<Record<string, string | undefined>>,
): ConfigOf<T> {
  const flags = new Map<string, string | true>();
  for (const [name, spec] of Object.entries(specs)) {
    for (const parser of parsers) {
      const option = parser.options.find(({ long }) => long === flagOf(name, spec));
      const value = option && (parser.getOptionValue(option.attributeName()) as string | true | undefined);
      if (value !== undefined) flags.set(name, value);
    }
  }
  const commandLine = { flags, configFile: undefined, request: undefined, unknown: [] };
  const { HAPG_CONFIG: _servicesFile, ...others } = environment;
  return readConfiguration(specs, { arguments: [], commandLine, environment: others }).config;
}

function whoTypes(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // An account without an entry in the system's list, as in many containers.
    return `uid ${process.getuid?.() ?? 'unknown'}@${hostname()}`;
  }
}
