import { readCommandLine, type CommandLine } from './command-line';
import { exitCodeOf, messageOf } from './coded-error';
import { describeConfiguration, readConfiguration, type Configuration, type Rules } from './configuration';
import { Lifecycle } from './lifecycle';
import { LOG_LEVELS, createLogger, type Log } from './log';
import { Metrics } from './metrics';
import { helpText, optionsMarkdown } from './option-docs';
import { defineOptions, type ConfigOf, type OptionSpecs } from './options';

export interface AppContext<C> {
  readonly config: C;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Aborted on SIGTERM or SIGINT, and when the app fails. */
  readonly signal: AbortSignal;
  /** Adds something to do before the process ends; what was added last is done first. */
  readonly onStop: (stop: () => Promise<void> | void) => void;
  /** Fatal: logs, stops as on SIGTERM and exits with the error's exit code (70 unless it says otherwise). */
  readonly fail: (error: unknown) => void;
}

export interface App<T extends OptionSpecs> {
  readonly name: string;
  readonly description: string;
  readonly options: T;
  /** Problems between options that are each right in themselves, one sentence each, with the reason. */
  readonly rules?: Rules<T>;
  /** How long stopping may take, in milliseconds, before the process exits with 1; default 5000. */
  readonly stopTimeoutMs?: number;
  /** Starts the service: resolves when it runs. */
  readonly start: (context: AppContext<ConfigOf<T>>) => Promise<void>;
}

const COMMON_OPTIONS = defineOptions({
  logLevel: { type: 'enum', values: LOG_LEVELS, default: 'info', description: 'the least level of lines to log' },
});

/** The version of the bundle; `process.env.HA_POSTGRES_VERSION` is replaced by a literal when it is built. */
export const VERSION: string = process.env.HA_POSTGRES_VERSION ?? '0.0.0-dev';

type All<T extends OptionSpecs> = T & typeof COMMON_OPTIONS;

function complain(name: string, error: unknown): never {
  const lines = messageOf(error).split('\n');
  process.stderr.write(`${name}: the configuration has ${lines.length} problem${lines.length === 1 ? '' : 's'}:\n`);
  process.stderr.write(lines.map((line) => `  ${line}\n`).join(''));
  process.exit(exitCodeOf(error));
}

function configure<T extends OptionSpecs>(
  app: App<T>,
  options: All<T>,
  commandLine: CommandLine,
): Configuration<All<T>> {
  const input = { arguments: [], commandLine, environment: process.env };
  try {
    return readConfiguration(options, input, (config) => app.rules?.(config as unknown as ConfigOf<T>) ?? []);
  } catch (error) {
    return complain(app.name, error);
  }
}

/** Answers `--help` and the like, which need no valid configuration; true if there was such a request. */
function answerRequest(app: App<OptionSpecs>, options: OptionSpecs, { request }: CommandLine): boolean {
  if (request === 'help') process.stdout.write(helpText(app.name, app.description, options));
  else if (request === 'version') process.stdout.write(`${VERSION}\n`);
  else if (request === 'print-options-markdown') process.stdout.write(optionsMarkdown(options));
  else return false;
  return true;
}

async function startApp<T extends OptionSpecs>(
  app: App<T>,
  lifecycle: Lifecycle,
  context: AppContext<ConfigOf<T>>,
): Promise<void> {
  try {
    await app.start(context);
    context.log.info({ event: 'app.running' }, `${app.name} is running`);
  } catch (error) {
    // A start that was interrupted by SIGTERM ends with whatever its abort signal threw: that is not a failure.
    if (!lifecycle.isStopping) lifecycle.fail(error);
  }
}

/**
 * Runs a service: reads its configuration, starts it, and stops it on SIGTERM or SIGINT. To be called once, from
 * `main.ts`. Exit codes: 0 stopped as asked, 1 stopping took too long or failed, 78 bad configuration, 70 any other failure.
 */
export function runApp<const T extends OptionSpecs>(app: App<T>): void {
  const options = { ...COMMON_OPTIONS, ...app.options } as All<T>;
  const commandLine = readCommandLine(process.argv.slice(2), options);
  if (answerRequest(app as unknown as App<OptionSpecs>, options, commandLine)) return;
  const configuration = configure(app, options, commandLine);
  const described = describeConfiguration(options, configuration);
  if (commandLine.request === 'check-config') {
    process.stdout.write(`${JSON.stringify(described, null, 2)}\n`);
    return;
  }
  const config = configuration.config as unknown as ConfigOf<T>;
  const { logLevel } = configuration.config as unknown as ConfigOf<typeof COMMON_OPTIONS>;
  const log = createLogger({ name: app.name, level: logLevel, base: 'node' in config ? { node: config.node } : {} });
  const lifecycle = new Lifecycle(log, app.stopTimeoutMs ?? 5_000, (code) => process.exit(code));
  lifecycle.watchProcess(process);
  log.info(
    { event: 'app.started', version: VERSION, pid: process.pid, config: described },
    `${app.name} ${VERSION} starts`,
  );
  void startApp(app, lifecycle, {
    config,
    log,
    metrics: new Metrics({ app: app.name }),
    signal: lifecycle.signal,
    onStop: (stop) => lifecycle.onStop(stop),
    fail: (error) => lifecycle.fail(error),
  });
}
