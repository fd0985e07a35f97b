interface Described {
  /** What the option does, for `--help` and the documentation. */
  readonly description: string;
}

/** Whether an option must be given: it has a default, or is required, or may be absent. */
type Presence<Default> =
  | { readonly default: Default; readonly required?: never; readonly optional?: never }
  | { readonly required: true; readonly default?: never; readonly optional?: never }
  | { readonly optional: true; readonly default?: never; readonly required?: never };

type Spec<Type extends string, Default, Limits = unknown> = Described &
  Presence<Default> & { readonly type: Type } & Limits;

interface Bounds<Bound> {
  readonly minimum?: Bound;
  readonly maximum?: Bound;
}

/**
 * One option of a service. `duration` is read into milliseconds (limits and default may be written `'3s'` or as
 * milliseconds), `size` into bytes (`'16MB'`), `list` from comma separated text or a YAML list.
 * A `secret` comes from the environment or from a file that is named by flag, environment or configuration file.
 */
export type OptionSpec =
  | Spec<'string', string, { readonly pattern?: string }>
  | Spec<'integer' | 'number' | 'port', number, Bounds<number>>
  | Spec<'boolean', boolean>
  | Spec<'duration' | 'size', string | number, Bounds<string | number>>
  | Spec<'list', readonly string[], { readonly pattern?: string }>
  | Spec<'enum', string, { readonly values: readonly string[] }>
  | Spec<'secret', never>;

export type OptionType = OptionSpec['type'];

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

interface ValueOfType {
  string: string;
  integer: number;
  number: number;
  port: number;
  boolean: boolean;
  duration: number;
  size: number;
  list: string[];
  secret: string;
}

type ValueOf<S extends OptionSpec> = S extends { readonly type: 'enum'; readonly values: readonly (infer V)[] }
  ? V
  : S['type'] extends keyof ValueOfType
    ? ValueOfType[S['type']]
    : never;

/** The configuration that a list of options gives: an optional option may be undefined. */
export type ConfigOf<T extends OptionSpecs> = {
  readonly [K in keyof T]: T[K] extends { readonly optional: true } ? ValueOf<T[K]> | undefined : ValueOf<T[K]>;
};

const OPTION_NAME = /^[a-z][a-z0-9]*(?:[A-Z][a-z0-9]*)*$/;

/**
 * Declares the options of a service, once: flags, environment names, file keys, the schema, types, `--help` and the
 * documentation are made from this list.
 * @throws TypeError if a name is not camelCase (flags and environment names would not be unique).
 */
export function defineOptions<const T extends OptionSpecs>(options: T): T {
  for (const name of Object.keys(options)) {
    if (!OPTION_NAME.test(name)) throw new TypeError(`option name is not camelCase: ${JSON.stringify(name)}`);
  }
  return options;
}

/** The flag of an option: `leaseDuration` → `--lease-duration`; a secret's flag names a file. */
export function flagOf(name: string, spec?: OptionSpec): string {
  const flag = `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  return spec?.type === 'secret' ? `${flag}-file` : flag;
}

/** The environment variable of an option: `leaseDuration` → `HAPG_LEASE_DURATION`. */
export function environmentNameOf(name: string): string {
  return `HAPG_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** The key of an option in a configuration file; a secret's key names a file. */
export function fileKeyOf(name: string, spec: OptionSpec): string {
  return spec.type === 'secret' ? `${name}File` : name;
}

/** The least and greatest value that an option allows, as declared. */
export function limitsOf(spec: OptionSpec): Bounds<string | number> {
  const { minimum, maximum }: Bounds<string | number> = spec as Bounds<string | number>;
  return { ...(minimum === undefined ? {} : { minimum }), ...(maximum === undefined ? {} : { maximum }) };
}

/** The regular expression that an option's text, or each of its texts, must match. */
export function patternTextOf(spec: OptionSpec): string | undefined {
  return spec.type === 'string' || spec.type === 'list' ? spec.pattern : undefined;
}
