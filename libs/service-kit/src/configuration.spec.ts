import { describeConfiguration, readConfiguration, type Configuration, type Rules } from './configuration';
import { helpText, optionsMarkdown } from './option-docs';
import { defineOptions, environmentNameOf, flagOf, type ConfigOf } from './options';

const options = defineOptions({
  leaseDuration: { type: 'duration', default: '3s', minimum: '1s', maximum: '1m', description: 'length of the lease' },
  maximumLag: { type: 'size', default: '1MB', description: 'greatest lag' },
  port: { type: 'port', default: 5432, description: 'port' },
  weight: { type: 'number', default: 0.5, minimum: 0, maximum: 1, description: 'weight' },
  retries: { type: 'integer', default: 3, description: 'retries' },
  verbose: { type: 'boolean', default: false, description: 'tell more' },
  node: { type: 'string', default: 'pg0', pattern: '^[a-z0-9-]+$', description: 'name' },
  servers: { type: 'list', default: [], description: 'servers' },
  mode: { type: 'enum', values: ['async', 'sync'], default: 'async', description: 'mode' },
  token: { type: 'secret', optional: true, description: 'token' },
  prefix: { type: 'string', optional: true, description: 'prefix' },
});

type Config = ConfigOf<typeof options>;

interface Input {
  arguments?: string[];
  environment?: Record<string, string>;
  files?: Record<string, string>;
  rules?: Rules<typeof options>;
}

function read({ arguments: given = [], environment = {}, files = {}, rules }: Input): Configuration<typeof options> {
  const readFile = (path: string): string => {
    const text = files[path];
    if (text === undefined) throw new Error(`ENOENT: ${path}`);
    return text;
  };
  return readConfiguration(options, { arguments: given, environment, readFile }, rules);
}

function problemsOf(input: Input): string[] {
  try {
    read(input);
  } catch (error) {
    expect(error).toMatchObject({ code: 'HAPG_CONFIG_INVALID', family: 'configuration' });
    return (error as Error).message.split('\n');
  }
  return [];
}

describe('names', () => {
  it('are made from the camelCase name', () => {
    expect(flagOf('leaseDuration')).toBe('--lease-duration');
    expect(environmentNameOf('leaseDuration')).toBe('HAPG_LEASE_DURATION');
    expect(flagOf('token', options.token)).toBe('--token-file');
  });

  it.each(['lease_duration', 'Lease', 'lease-duration', ''])('that are not camelCase (%j) are refused', (name) => {
    expect(() => defineOptions({ [name]: { type: 'string', default: '', description: '' } })).toThrow(
      JSON.stringify(name),
    );
  });
});

describe('a configuration', () => {
  it('is the defaults when nothing is given, in milliseconds and bytes', () => {
    const config: Config = read({}).config;
    expect(config).toEqual({
      leaseDuration: 3_000,
      maximumLag: 1_048_576,
      port: 5432,
      weight: 0.5,
      retries: 3,
      verbose: false,
      node: 'pg0',
      servers: [],
      mode: 'async',
    });
  });

  it('has the types that its options say', () => {
    const config = read({}).config;
    const mode: 'async' | 'sync' = config.mode;
    const token: string | undefined = config.token;
    const servers: string[] = config.servers;
    const durationIsNumber: number = config.leaseDuration;
    expect([mode, token, servers, durationIsNumber]).toEqual(['async', undefined, [], 3_000]);
    // @ts-expect-error an optional option may be undefined
    const certain: string = config.prefix;
    expect(certain).toBeUndefined();
  });

  it('takes the flag before the environment before the file before the default', () => {
    const files = { '/etc/x.yaml': 'leaseDuration: 4s\nport: 4\nnode: from-file\nservers: [a, b]\n' };
    const { config, sources } = read({
      arguments: ['--config', '/etc/x.yaml', '--lease-duration=6s', '--verbose'],
      environment: { HAPG_LEASE_DURATION: '5s', HAPG_PORT: '5', HAPG_MODE: '' },
      files,
    });
    expect(config).toMatchObject({
      leaseDuration: 6_000,
      port: 5,
      node: 'from-file',
      servers: ['a', 'b'],
      mode: 'async',
    });
    expect(config.verbose).toBe(true);
    expect(sources).toMatchObject({
      leaseDuration: '--lease-duration',
      port: 'HAPG_PORT',
      node: '/etc/x.yaml',
      mode: 'default',
    });
  });

  it('finds its file by the environment, and leaves variables of other services alone', () => {
    const { config } = read({
      environment: { HAPG_CONFIG: '/x', HAPG_SOMETHING_ELSE: '1' },
      files: { '/x': 'verbose: true\nmaximumLag: 2048\nweight: 1\n' },
    });
    expect(config).toMatchObject({ verbose: true, maximumLag: 2048, weight: 1 });
  });

  it('reads lists from commas and leaves out empty items', () => {
    expect(read({ environment: { HAPG_SERVERS: 'a:1, b:2,,' } }).config.servers).toEqual(['a:1', 'b:2']);
  });

  it('tells every problem at once, each with option, source and bad value', () => {
    const problems = problemsOf({
      arguments: ['--config=/x', '--nope', '--port', '0', '--mode=async2', '--lease-duration', '--verbose=yes'],
      environment: { HAPG_WEIGHT: 'much', HAPG_RETRIES: '1.5' },
      files: { '/x': 'nodeName: a\nmaximumLag: [1]\nnode: A B\nservers: {}\nprefix: 5\n' },
    });
    expect(problems.toSorted()).toEqual(
      [
        '--nope: there is no such option',
        'nodeName in /x: there is no such option',
        'port (--port): 0 must be at least 1',
        'mode (--mode): "async2" must be one of async, sync',
        'leaseDuration (--lease-duration): the value is missing',
        'verbose (--verbose): "yes" is not true or false',
        'weight (HAPG_WEIGHT): "much" is not a number',
        'retries (HAPG_RETRIES): "1.5" is not a whole number',
        'maximumLag (/x): [1] is not a size such as 16MB',
        'node (/x): "A B" must match ^[a-z0-9-]+$',
        'servers (/x): {} is not a list (comma separated, or a YAML list of texts)',
        'prefix (/x): 5 is not a text',
      ].toSorted(),
    );
  });

  it('tells limits in the unit of the option', () => {
    expect(problemsOf({ arguments: ['--lease-duration=2m'] })).toEqual([
      'leaseDuration (--lease-duration): 120000 must be at most 1m',
    ]);
  });

  it('refuses a duration without a unit, also as a number in the file', () => {
    expect(problemsOf({ arguments: ['--lease-duration=3'] })[0]).toContain('"3" is not a duration');
    expect(problemsOf({ environment: { HAPG_CONFIG: '/x' }, files: { '/x': 'leaseDuration: 3' } })[0]).toContain(
      '3 is not a duration',
    );
  });

  it.each([
    ['no such file', {}, 'ENOENT: /x'],
    ['no YAML', { '/x': 'a: [' }, 'configuration file /x'],
    ['no mapping', { '/x': '- a' }, 'YAML mapping'],
  ])('refuses a file that is %s', (_, files, text) => {
    expect(problemsOf({ arguments: ['--config', '/x'], files })).toEqual([expect.stringContaining(text)]);
  });

  it('demands required options and names both ways to give them', () => {
    const required = defineOptions({ node: { type: 'string', required: true, description: '' } });
    expect(() => readConfiguration(required, { arguments: [], environment: {} })).toThrow(
      'node: required, give --node or HAPG_NODE',
    );
  });

  it('asks the rules between options only when each option is right', () => {
    const rules = ({ retries, port }: Config): string[] =>
      retries > port ? [`retries ${retries} > port ${port}`] : [];
    expect(problemsOf({ arguments: ['--retries=9', '--port=8'], rules })).toEqual(['retries 9 > port 8']);
    expect(problemsOf({ arguments: ['--retries=9', '--port=x'], rules })).toEqual([
      'port (--port): "x" is not a port number',
    ]);
  });

  it('refuses a default that breaks its own limits', () => {
    const wrong = defineOptions({ wait: { type: 'duration', default: '2m', maximum: '1m', description: '' } });
    expect(() => readConfiguration(wrong, { arguments: [], environment: {} })).toThrow(
      'wait (default): 120000 must be at most 1m',
    );
  });
});

describe('a secret', () => {
  const files = { '/run/token': 's3cret\n', '/empty': '\n', '/x': 'tokenFile: /run/token' };

  it.each([
    ['the environment', { environment: { HAPG_TOKEN: 's3cret' } }, 'HAPG_TOKEN'],
    ['a file named by the environment', { environment: { HAPG_TOKEN_FILE: '/run/token' } }, 'HAPG_TOKEN_FILE'],
    ['a file named by the flag', { arguments: ['--token-file', '/run/token'] }, '--token-file'],
    ['a file named by the configuration file', { arguments: ['--config=/x'] }, '/x'],
  ])('comes from %s', (_, input, source) => {
    const configuration = read({ ...input, files });
    expect(configuration.config.token).toBe('s3cret');
    expect(configuration.sources.token).toBe(source);
  });

  it('has no flag and no file key for its plain value', () => {
    expect(problemsOf({ arguments: ['--token', 's3cret'] })).toContain('--token: there is no such option');
    expect(problemsOf({ arguments: ['--config=/y'], files: { '/y': 'token: s3cret' } })).toEqual([
      'token in /y: there is no such option',
    ]);
  });

  it('is refused when it is empty, missing, or given in both ways', () => {
    expect(problemsOf({ environment: { HAPG_TOKEN_FILE: '/empty' }, files })).toEqual([
      'token (HAPG_TOKEN_FILE): must not be empty',
    ]);
    expect(problemsOf({ environment: { HAPG_TOKEN_FILE: '/gone' }, files })).toEqual([
      'token (HAPG_TOKEN_FILE): ENOENT: /gone',
    ]);
    expect(problemsOf({ environment: { HAPG_TOKEN_FILE: '/run/token', HAPG_TOKEN: 'x' }, files })).toEqual([
      'HAPG_TOKEN and HAPG_TOKEN_FILE: both are set, set only one',
    ]);
  });

  it('is masked wherever the configuration is shown', () => {
    const described = describeConfiguration(options, read({ environment: { HAPG_TOKEN: 's3cret' } }));
    expect(described.token).toEqual({ value: '***', source: 'HAPG_TOKEN' });
    expect(described.prefix).toEqual({ value: null, source: 'not set' });
    expect(JSON.stringify(described)).not.toContain('s3cret');
  });
});

describe('what is made from the options for people', () => {
  it('shows every flag with type, limits, default and variable in the help', () => {
    const help = helpText('x', 'does x', options).replaceAll(/\s+/g, ' ');
    expect(help).toContain('does x');
    for (const [name, spec] of Object.entries(options)) {
      expect(help).toContain(flagOf(name, spec));
      expect(help).toContain(environmentNameOf(name));
    }
    expect(help).toContain('at least 1s; at most 1m; default 3s');
  });

  it('has one row for each option in the Markdown table', () => {
    const rows = optionsMarkdown(options).trim().split('\n').slice(2);
    expect(rows).toHaveLength(Object.keys(options).length);
    expect(rows[0]).toBe(
      '| `--lease-duration` | `HAPG_LEASE_DURATION` | duration (500ms, 3s, 2m); at least 1s; at most 1m | default 3s | length of the lease |',
    );
  });
});
