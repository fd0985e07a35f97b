import { readFileSync } from 'node:fs';
import { readCommandLine, type CommandLine } from './command-line';
import { messageOf } from './coded-error';
import { errors } from './errors';
import { declaredValue, readValue, type OptionValue } from './option-values';
import { environmentNameOf, flagOf, type ConfigOf, type OptionSpec, type OptionSpecs } from './options';
import { checkValues } from './schema';
import { givenFor, readConfigFile, type Environment, type Given, type ReadFile } from './sources';

/** A cross-option check: one sentence for each problem, with the values and the reason. */
export type Rules<T extends OptionSpecs> = (config: ConfigOf<T>) => readonly string[];

export interface ConfigurationInput {
  readonly arguments: readonly string[];
  readonly environment: Environment;
  readonly readFile?: ReadFile;
}

export interface Configuration<T extends OptionSpecs> {
  readonly config: ConfigOf<T>;
  /** Where each value came from; absent options are missing. */
  readonly sources: Readonly<Record<string, string>>;
}

interface Effective {
  readonly value: OptionValue;
  readonly source: string;
}

function problemOf(name: string, source: string, what: string): string {
  return `${name} (${source}): ${what}`;
}

function readSecretFile(path: unknown, readFile: ReadFile): string {
  if (typeof path !== 'string' || path === '') throw new RangeError('the name of the file is missing');
  return readFile(path).replace(/\r?\n$/, '');
}

function readGiven(name: string, spec: OptionSpec, given: Given, readFile: ReadFile): Effective {
  try {
    if (given.raw === true && spec.type !== 'boolean') throw new RangeError('the value is missing');
    const raw = given.isPath === true ? readSecretFile(given.raw, readFile) : given.raw;
    return { value: readValue(spec, raw), source: given.source };
  } catch (error) {
    // The message of a bad secret never repeats it: readers of secrets fail on the file's name only.
    throw new RangeError(problemOf(name, given.source, messageOf(error)));
  }
}

function defaultOf(name: string, spec: OptionSpec): Effective | undefined {
  if (spec.default !== undefined) return { value: declaredValue(spec, spec.default), source: 'default' };
  if (spec.optional === true) return undefined;
  throw new RangeError(`${name}: required, give ${flagOf(name, spec)} or ${environmentNameOf(name)}`);
}

/** Both forms of a secret at once are refused: whichever won, the other would be wrong without anyone noticing. */
function refuseTwoForms(givens: readonly Given[]): void {
  const [first, second] = givens.filter(({ source }) => source.startsWith('HAPG_'));
  if (first !== undefined && second !== undefined) {
    throw new RangeError(`${first.source} and ${second.source}: both are set, set only one`);
  }
}

function effectiveValues(
  options: OptionSpecs,
  givensOf: (name: string, spec: OptionSpec) => readonly Given[],
  readFile: ReadFile,
  problems: string[],
): Map<string, Effective> {
  const effective = new Map<string, Effective>();
  for (const [name, spec] of Object.entries(options)) {
    try {
      const givens = givensOf(name, spec);
      refuseTwoForms(givens);
      const [given] = givens;
      const found = given === undefined ? defaultOf(name, spec) : readGiven(name, spec, given, readFile);
      if (found !== undefined) effective.set(name, found);
    } catch (error) {
      problems.push(messageOf(error));
    }
  }
  return effective;
}

function valuesOf(effective: ReadonlyMap<string, Effective>): Record<string, OptionValue> {
  return Object.fromEntries([...effective].map(([name, { value }]) => [name, value]));
}

function limitProblems(options: OptionSpecs, effective: ReadonlyMap<string, Effective>): string[] {
  return checkValues(options, valuesOf(effective)).map(({ option, what }) => {
    const { value, source } = effective.get(option) ?? { value: '', source: '' };
    const shown = options[option]?.type === 'secret' ? '' : `${JSON.stringify(value)} `;
    return problemOf(option, source, `${shown}${what}`);
  });
}

const readText: ReadFile = (path) => readFileSync(path, 'utf8');

/**
 * Reads the configuration: flag over environment over file over default.
 * @throws CodedError HAPG_CONFIG_INVALID with *every* problem in its message, one a line, each with the option, where
 * it was given, and the bad value.
 */
export function readConfiguration<const T extends OptionSpecs>(
  options: T,
  input: ConfigurationInput & { commandLine?: CommandLine },
  rules: Rules<T> = () => [],
): Configuration<T> {
  const { environment, readFile = readText } = input;
  const commandLine = input.commandLine ?? readCommandLine(input.arguments, options);
  const problems = commandLine.unknown.map((argument) => `${argument}: there is no such option`);
  const file = readConfigFile(commandLine, environment, options, readFile, problems);
  const givensOf = (name: string, spec: OptionSpec): Given[] =>
    givenFor(name, spec, { commandLine, environment, file });
  const effective = effectiveValues(options, givensOf, readFile, problems);
  problems.push(...limitProblems(options, effective));
  const config = valuesOf(effective) as ConfigOf<T>;
  // Rules compare values with each other: they can say nothing sensible about values that are wrong in themselves.
  if (problems.length === 0) problems.push(...rules(config));
  if (problems.length > 0) throw errors.HAPG_CONFIG_INVALID(problems.join('\n'));
  return { config, sources: Object.fromEntries([...effective].map(([name, { source }]) => [name, source])) };
}

/** The configuration with its sources as it may be shown: secrets masked. */
export function describeConfiguration<T extends OptionSpecs>(
  options: T,
  { config, sources }: Configuration<T>,
): Record<string, { value: unknown; source: string }> {
  return Object.fromEntries(
    Object.entries(options).map(([name, spec]) => {
      const source = sources[name] ?? 'not set';
      const value = config[name as keyof T] as unknown;
      return [name, { value: spec.type === 'secret' && value !== undefined ? '***' : (value ?? null), source }];
    }),
  );
}
