// Writes values.schema.json and the table of README.md from the comments of values.yaml and the option lists of the services. With
// --check it writes nothing and ends with 1 if one of them is not what it should be.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { isMap, isScalar, parseDocument } from 'yaml';

const here = dirname(fileURLToPath(import.meta.url));
const chart = join(here, 'ha-postgres');
const optionPages = join(here, '..', '..', 'docs', 'config');

const QUANTITY = '^[0-9]+(\\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti|P|Pi)?$';
const DEFINITIONS = {
  object: { type: 'object' },
  duration: { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)? ?(ms|s|m|h|d)$' },
  haproxyTime: { type: 'string', pattern: '^[1-9][0-9]*(ms|s|m|h)$' },
  quantity: { type: 'string', pattern: QUANTITY },
  port: { type: 'integer', minimum: 1, maximum: 65535 },
  role: { type: 'string', pattern: '^[a-z_][a-z0-9_]*$' },
  pullPolicy: { enum: ['Always', 'IfNotPresent', 'Never'] },
  env: {
    type: 'object',
    required: ['name'],
    additionalProperties: false,
    properties: {
      // What begins so is the chart's.
      name: { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]*$', not: { pattern: '^HAPG_' } },
      value: { type: 'string' },
      valueFrom: { type: 'object' },
    },
  },
};

/** Options that the chart itself gives a service, from other values or because of what a pod is. */
const OWN = {
  'db-controller': [
    ...['node', 'host', 'postgresPort', 'apiPort', 'postgresHost', 'socket', 'stateDir', 'dataDir', 'clusterSecret'],
    ...['controllerName', 'controllerPassword', 'consulPrefix', 'consulServers', 'replicationAddress', 'failpoints'],
    ...['checkInterval', 'connectTimeout', 'aliveCheckFailureThreshold', 'standbyReplicationCheckFailureThreshold'],
    // Of single nodes: see db.nodes. And lb-syncer has the same name for it.
    ...['noFailover', 'noLoadBalance', 'failoverPriority', 'consulService'],
  ],
  'postgres-runner': [
    ...['node', 'dataDir', 'stateDir', 'binDir', 'user', 'roleServerUrl', 'port', 'socketDir', 'initScripts'],
    ...['superuserName', 'superuserPassword', 'replicationName', 'replicationPassword', 'rewindName', 'rewindPassword'],
    ...['controllerName', 'controllerPassword', 'database', 'settings', 'hba', 'listenAddresses', 'systemId'],
  ],
  'role-server': ['node', 'host', 'port', 'controllerSocket', 'clusterSecret'],
  'lb-syncer': [
    ...['name', 'consulPrefix', 'consulService', 'haproxyAddress', 'masterBackend', 'standbyBackend'],
    ...['replicationBackend', 'holdAddress', 'host', 'port'],
  ],
};
/** Options that may differ between the nodes of a cluster. */
const OF_A_NODE = ['noFailover', 'noLoadBalance', 'failoverPriority', 'logLevel'];

const camel = (flag) =>
  flag
    .replace(/^--/, '')
    .replace(/-file$/, '')
    .replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());

/** All options of a service, as its page of docs/config tells them: `[{ name, type, meaning }]`. */
export function optionsOf(service) {
  const page = readFileSync(join(optionPages, `${service}.md`), 'utf8');
  return page.split('\n').flatMap((line) => {
    const [, flag, , type = '', , meaning = ''] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    const name = /^`(--[a-z-]+)`$/.exec(flag ?? '')?.[1];
    // Only a secret's flag names a file.
    return name === undefined ? [] : [{ name: camel(name), type, meaning: meaning.replaceAll('\\|', '|') }];
  });
}

function optionType(type) {
  if (type.startsWith('one of ')) return { enum: type.slice('one of '.length).split(';')[0].split(', ') };
  const kinds = {
    'whole number': { type: 'integer' },
    number: { type: 'number' },
    port: { $ref: '#/$defs/port' },
    'true or false': { type: 'boolean' },
    duration: { $ref: '#/$defs/duration' },
    size: { type: ['string', 'integer'] },
    'comma separated list': { type: 'array', items: { type: 'string' } },
    text: { type: 'string' },
  };
  const [kind] = type.split(/[;(]/);
  const found = kinds[kind.trim()];
  if (found === undefined) throw new Error(`no schema for options of type ${type}`);
  return found;
}

function optionsSchema(service, isTaken = (name) => !OWN[service].includes(name)) {
  const known = optionsOf(service).map(({ name }) => name);
  const gone = (OWN[service] ?? []).filter((name) => !known.includes(name));
  if (gone.length > 0) throw new Error(`${service} has no options ${gone.join(', ')}`);
  const taken = optionsOf(service).filter(({ name }) => isTaken(name));
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(
      taken.map(({ name, type, meaning }) => [name, { description: meaning, ...optionType(type) }]),
    ),
  };
}

function schemaOfOptions(of) {
  if (of !== 'nodes') return optionsSchema(of);
  const node = optionsSchema('db-controller', (name) => OF_A_NODE.includes(name));
  return { type: 'object', additionalProperties: false, patternProperties: { '^[0-9]+$': node } };
}

/** What stands above a value: its meaning, and what its schema is to say. */
function commentOf(path, text = '') {
  const lines = text.split('\n').map((line) => line.trim());
  const first = lines.findLastIndex((line) => line.startsWith('--'));
  const rest = first < 0 ? [] : lines.slice(first);
  const meaning = rest
    .filter((line) => !line.startsWith('@'))
    .join(' ')
    .replace(/^-- ?/, '')
    .trim();
  const options = rest.find((line) => line.startsWith('@options '))?.slice('@options '.length);
  const piece = rest.find((line) => line.startsWith('@ '))?.slice(2) ?? '{}';
  try {
    return { meaning, options, piece: JSON.parse(piece) };
  } catch (error) {
    throw new Error(`${path}: not JSON: ${piece}`, { cause: error });
  }
}

const TYPES = { string: 'string', boolean: 'boolean', number: 'integer' };

function leafSchema({ meaning, options, piece }, value) {
  if (options !== undefined) return { description: meaning, ...schemaOfOptions(options) };
  const type = piece.$ref !== undefined || piece.enum !== undefined ? {} : { type: typeOf(value) };
  return { description: meaning, ...type, ...piece };
}

const typeOf = (value) => (Array.isArray(value) ? 'array' : (TYPES[typeof value] ?? 'object'));

/** Every pair of values.yaml: `{ path, comment, value, node }`, a described one with its whole content. */
function* described(map, path, inherited = '') {
  for (const [number, { key, value }] of map.items.entries()) {
    const at = [...path, key.value];
    // The comment before the first pair belongs to the map.
    const comment = commentOf(at.join('.'), key.commentBefore ?? (number === 0 ? inherited : ''));
    if (comment.meaning !== '') yield { path: at, comment, value: value.toJSON() };
    else if (isMap(value)) yield* described(value, at, value.commentBefore ?? '');
    else throw new Error(`values.yaml: ${at.join('.')} has no comment that begins with "# --"`);
  }
}

function readValues() {
  const document = parseDocument(readFileSync(join(chart, 'values.yaml'), 'utf8'));
  if (document.errors.length > 0 || !isMap(document.contents) || isScalar(document.contents))
    throw new Error('values.yaml');
  return [...described(document.contents, [], document.contents.commentBefore ?? '')];
}

function schemaText(values) {
  const root = { type: 'object', additionalProperties: false, properties: {} };
  for (const { path, comment, value } of values) {
    let place = root;
    for (const name of path.slice(0, -1)) {
      place.properties[name] ??= { type: 'object', additionalProperties: false, properties: {} };
      place = place.properties[name];
    }
    place.properties[path.at(-1)] = leafSchema(comment, value);
  }
  // What helm itself puts in.
  root.properties.global = { type: 'object' };
  const whole = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $comment: 'Written by tools/chart-docs from values.yaml and the option lists of the services: change them there.',
    ...root,
    $defs: DEFINITIONS,
  };
  return `${JSON.stringify(whole, null, 2)}\n`;
}

function tableText(values) {
  const cell = (text) => text.replaceAll('|', '\\|');
  const rows = values.map(({ path, comment, value }) => {
    const shown = JSON.stringify(value);
    return `| \`${path.join('.')}\` | \`${cell(shown)}\` | ${cell(comment.meaning)} |`;
  });
  return ['| Value | Default | Meaning |', '| --- | --- | --- |', ...rows].join('\n');
}

const BEGIN = '<!-- values: written by tools/chart-docs from values.yaml -->';
const END = '<!-- end of values -->';

function readmeText(before, values) {
  const [head, rest = ''] = before.split(BEGIN);
  const [, tail = '\n'] = rest.split(END);
  return `${head}${BEGIN}\n\n${tableText(values)}\n\n${END}${tail}`;
}

async function pages() {
  const values = readValues();
  const readme = join(chart, 'README.md');
  return Promise.all([
    page(join(chart, 'values.schema.json'), schemaText(values)),
    page(readme, readmeText(readFileSync(readme, 'utf8'), values)),
  ]);
}

async function page(path, text) {
  return { path, text: await format(text, { ...(await resolveConfig(path)), filepath: path }) };
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const stale = (await pages()).filter(({ path, text }) => read(path) !== text);
  if (process.argv.includes('--check')) {
    for (const { path } of stale) process.stderr.write(`${path} is not what values.yaml says: run tools/chart-docs\n`);
    process.exitCode = stale.length === 0 ? 0 : 1;
  } else for (const { path, text } of stale) writeFileSync(path, text);
}
