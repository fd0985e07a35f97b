import Ajv, { type ErrorObject } from 'ajv';
import { declaredValue, writeValue, type OptionValue } from './option-values';
import { limitsOf, patternTextOf, type OptionSpec, type OptionSpecs } from './options';

export interface OptionProblem {
  readonly option: string;
  /** What is wrong, without the option's name, such as `must be at least 100ms`. */
  readonly what: string;
}

type JsonSchema = Readonly<Record<string, unknown>>;

function boundsOf(spec: OptionSpec): JsonSchema {
  return Object.fromEntries(
    Object.entries<string | number>(limitsOf(spec) as Record<string, string | number>).map(([key, bound]) => [
      key,
      declaredValue(spec, bound),
    ]),
  );
}

function patternOf(spec: OptionSpec): JsonSchema {
  const pattern = patternTextOf(spec);
  return pattern === undefined ? {} : { pattern };
}

function schemaOfOption(spec: OptionSpec): JsonSchema {
  switch (spec.type) {
    case 'string':
      return { type: 'string', ...patternOf(spec) };
    case 'secret':
      return { type: 'string', minLength: 1 };
    case 'enum':
      return { type: 'string', enum: [...spec.values] };
    case 'boolean':
      return { type: 'boolean' };
    case 'list':
      return { type: 'array', items: { type: 'string', ...patternOf(spec) } };
    case 'port':
      return { type: 'integer', minimum: 1, maximum: 65_535, ...boundsOf(spec) };
    case 'integer':
    case 'size':
      return { type: 'integer', ...boundsOf(spec) };
    case 'number':
    case 'duration':
      return { type: 'number', ...boundsOf(spec) };
  }
}

/** The JSON schema of a configuration whose durations are milliseconds and whose sizes are bytes. */
export function schemaOf(options: OptionSpecs): JsonSchema {
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(Object.entries(options).map(([name, spec]) => [name, schemaOfOption(spec)])),
  };
}

function explain(spec: OptionSpec | undefined, error: ErrorObject): string {
  const params = error.params as { limit?: number; allowedValues?: string[]; pattern?: string };
  const limit = (): string => (spec === undefined ? '' : writeValue(spec, params.limit ?? 0));
  switch (error.keyword) {
    case 'minimum':
      return `must be at least ${limit()}`;
    case 'maximum':
      return `must be at most ${limit()}`;
    case 'enum':
      return `must be one of ${(params.allowedValues ?? []).join(', ')}`;
    case 'pattern':
      return `must match ${String(params.pattern)}`;
    case 'minLength':
      return 'must not be empty';
    default:
      return error.message ?? error.keyword;
  }
}

/** Checks values that have their option's type against the limits of all options, and tells every problem. */
export function checkValues(options: OptionSpecs, values: Readonly<Record<string, OptionValue>>): OptionProblem[] {
  const validate = new Ajv({ allErrors: true, strict: true }).compile(schemaOf(options));
  if (validate(values)) return [];
  return (validate.errors ?? []).map((error) => {
    const option = error.instancePath.split('/')[1] ?? '';
    return { option, what: explain(options[option], error) };
  });
}
