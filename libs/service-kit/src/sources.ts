import { parse as parseYaml } from 'yaml';
import { messageOf } from './coded-error';
import type { CommandLine } from './command-line';
import { environmentNameOf, fileKeyOf, flagOf, type OptionSpec, type OptionSpecs } from './options';

export type ReadFile = (path: string) => string;

export type Environment = Readonly<Record<string, string | undefined>>;

/** Something that was given for an option, not yet read, and where. */
export interface Given {
  readonly raw: unknown;
  /** As a person finds it: `--lease-duration`, `HAPG_LEASE_DURATION`, `leaseDuration in /etc/x.yaml`, `default`. */
  readonly source: string;
  /** The value is the path of a file that holds the secret. */
  readonly isPath?: boolean;
}

export interface ConfigFile {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

const NO_FILE: ConfigFile = { path: '', values: {} };

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseFile(path: string, options: OptionSpecs, readFile: ReadFile, problems: string[]): ConfigFile {
  const values: unknown = parseYaml(readFile(path)) ?? {};
  if (!isRecord(values)) throw new TypeError('it must hold a YAML mapping of options');
  const known = new Set(Object.entries(options).map(([name, spec]) => fileKeyOf(name, spec)));
  for (const key of Object.keys(values)) {
    if (!known.has(key)) problems.push(`${key} in ${path}: there is no such option`);
  }
  return { path, values };
}

/** The configuration file named by `--config` or `HAPG_CONFIG`; what is wrong with it is added to `problems`. */
export function readConfigFile(
  commandLine: CommandLine,
  environment: Environment,
  options: OptionSpecs,
  readFile: ReadFile,
  problems: string[],
): ConfigFile {
  const named = commandLine.configFile ?? environment.HAPG_CONFIG;
  if (named === undefined || named === '') return NO_FILE;
  if (named === true) {
    problems.push('--config: the name of the file is missing');
    return NO_FILE;
  }
  try {
    return parseFile(named, options, readFile, problems);
  } catch (error) {
    // yaml's messages go on with a drawing of the place; the first line says where it is.
    const [what = ''] = messageOf(error).split('\n');
    problems.push(`configuration file ${named}: ${what.replace(/:$/, '')}`);
    return NO_FILE;
  }
}

/** A variable that is set but empty counts as not set: that is how charts and compose files leave one out. */
function fromEnvironment(name: string, spec: OptionSpec, environment: Environment): Given[] {
  const variable = environmentNameOf(name);
  const names = spec.type === 'secret' ? [variable, `${variable}_FILE`] : [variable];
  return names.flatMap((source) => {
    const raw = environment[source];
    return raw === undefined || raw === '' ? [] : [{ raw, source, isPath: source !== variable }];
  });
}

/** All that was given for an option, in order of precedence: flag, environment, file. */
export function givenFor(
  name: string,
  spec: OptionSpec,
  from: { commandLine: CommandLine; environment: Environment; file: ConfigFile },
): Given[] {
  const isPath = spec.type === 'secret';
  const flag = from.commandLine.flags.get(name);
  const key = fileKeyOf(name, spec);
  const inFile = from.file.values[key];
  return [
    ...(flag === undefined ? [] : [{ raw: flag, source: flagOf(name, spec), isPath }]),
    ...fromEnvironment(name, spec, from.environment),
    ...(inFile === undefined || inFile === null ? [] : [{ raw: inFile, source: from.file.path, isPath }]),
  ];
}
