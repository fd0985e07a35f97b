import { Command, Option } from 'commander';
import { flagOf, type OptionSpecs } from './options';

/** What the command line asks for besides running. */
export const REQUESTS = {
  help: 'show this help and end',
  version: 'show the version and end',
  'check-config': 'check the configuration, show it with the source of each value (secrets masked) and end',
  'print-options-markdown': 'show all options as a Markdown table and end',
} as const;

export type Request = keyof typeof REQUESTS;

export interface CommandLine {
  /** What was given for each option, by option name; `true` for a flag without a value. */
  readonly flags: ReadonlyMap<string, string | true>;
  readonly configFile: string | true | undefined;
  readonly request: Request | undefined;
  /** Arguments that belong to no option. */
  readonly unknown: readonly string[];
}

/** A commander command that knows every flag, takes none of its own decisions and ends no process. */
export function commandOf(name: string, description: string, options: OptionSpecs): Command {
  const command = new Command(name).description(description).helpOption(false).helpCommand(false);
  command.allowUnknownOption().allowExcessArguments().exitOverride();
  for (const [option, spec] of Object.entries(options)) {
    const flag = new Option(`${flagOf(option, spec)} [value]`, spec.description);
    // commander reads `--no-failover` as the opposite of an option `failover`, which is then true unless it is given.
    flag.negate = false;
    command.addOption(flag);
  }
  command.addOption(new Option('--config [file]', 'YAML file with options by their camelCase names'));
  for (const [request, text] of Object.entries(REQUESTS)) command.addOption(new Option(`--${request}`, text));
  return command;
}

/** Reads the command line without judging it: unknown arguments and missing values are told, not thrown. */
export function readCommandLine(arguments_: readonly string[], options: OptionSpecs): CommandLine {
  const command = commandOf('', '', options);
  command.parse(arguments_, { from: 'user' });
  const given = new Map(
    command.options.flatMap((option) => {
      const value = command.getOptionValue(option.attributeName()) as string | true | undefined;
      return value === undefined ? [] : [[option.long, value] as const];
    }),
  );
  const requests = Object.keys(REQUESTS) as Request[];
  return {
    flags: new Map(
      Object.entries(options).flatMap(([name, spec]) => {
        const value = given.get(flagOf(name, spec));
        return value === undefined ? [] : [[name, value] as const];
      }),
    ),
    configFile: given.get('--config'),
    request: requests.find((request) => given.has(`--${request}`)),
    unknown: command.args,
  };
}
