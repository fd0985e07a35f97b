import { commandOf } from './command-line';
import { declaredValue, writeValue } from './option-values';
import { environmentNameOf, flagOf, limitsOf, patternTextOf, type OptionSpec, type OptionSpecs } from './options';

const TYPE_TEXTS: Record<OptionSpec['type'], string> = {
  string: 'text',
  integer: 'whole number',
  number: 'number',
  port: 'port',
  boolean: 'true or false',
  duration: 'duration (500ms, 3s, 2m)',
  size: 'size (bytes, 16MB)',
  list: 'comma separated list',
  enum: 'one of',
  secret: 'name of a file that holds the secret',
};

function typeText(spec: OptionSpec): string {
  return spec.type === 'enum' ? `${TYPE_TEXTS.enum} ${spec.values.join(', ')}` : TYPE_TEXTS[spec.type];
}

function limitTexts(spec: OptionSpec): string[] {
  const { minimum, maximum } = limitsOf(spec);
  const pattern = patternTextOf(spec);
  const write = (bound: string | number): string => writeValue(spec, declaredValue(spec, bound));
  return [
    ...(minimum === undefined ? [] : [`at least ${write(minimum)}`]),
    ...(maximum === undefined ? [] : [`at most ${write(maximum)}`]),
    ...(pattern === undefined ? [] : [`matching ${pattern}`]),
  ];
}

function defaultText(spec: OptionSpec): string {
  if (spec.default === undefined) return spec.required === true ? 'required' : 'optional';
  const text = writeValue(spec, declaredValue(spec, spec.default));
  return `default ${text === '' ? '(empty)' : text}`;
}

function environmentText(name: string, spec: OptionSpec): string {
  const variable = environmentNameOf(name);
  return spec.type === 'secret' ? `${variable} or ${variable}_FILE` : variable;
}

/** The text of `--help`: every flag with its meaning, type, limits, default and environment variable. */
export function helpText(name: string, description: string, options: OptionSpecs): string {
  const command = commandOf(name, description, options);
  for (const [option, spec] of Object.entries(options)) {
    const shown = command.options.find(({ long }) => long === flagOf(option, spec));
    const facts = [typeText(spec), ...limitTexts(spec), defaultText(spec), environmentText(option, spec)];
    if (shown !== undefined) shown.description = `${spec.description} (${facts.join('; ')})`;
  }
  return command.helpInformation();
}

/** All options as a Markdown table, for the documentation. */
export function optionsMarkdown(options: OptionSpecs): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
  const rows = Object.entries(options).map(([name, spec]) => {
    const type = [typeText(spec), ...limitTexts(spec)].join('; ');
    const names = [`\`${flagOf(name, spec)}\``, `\`${environmentText(name, spec).replace(' or ', '`, `')}\``];
    return `| ${[...names, type, defaultText(spec), spec.description].map(cell).join(' | ')} |`;
  });
  return ['| Flag | Environment | Type | Default | Meaning |', '| --- | --- | --- | --- | --- |', ...rows, ''].join(
    '\n',
  );
}
