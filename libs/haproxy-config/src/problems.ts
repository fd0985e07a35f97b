import type { HaproxyConfigOptions } from './options';

type Problem = string | null;

/** A word in `haproxy.cfg` ends at a blank, and `#`, quotes, backslashes and `$` mean something there. */
const WORD = /^[^\s#"'\\$]+$/;
const NAME = /^[A-Za-z0-9_.:-]+$/;

const word = (what: string, value: string | null): Problem =>
  value === null || WORD.test(value) ? null : `${what} must be one word without quotes: ${JSON.stringify(value)}`;
const name = (what: string, value: string): Problem =>
  NAME.test(value) ? null : `${what} must be a name of letters, digits, "_", "-", "." or ":": ${JSON.stringify(value)}`;
const whole = (what: string, value: number, minimum: number, maximum: number): Problem =>
  Number.isInteger(value) && value >= minimum && value <= maximum
    ? null
    : `${what} must be a whole number from ${minimum} to ${maximum}: ${value}`;
const line = (what: string, value: string | null): Problem =>
  value === null || !/[\u0000-\u001f\u007f#"'\\$]/.test(value)
    ? null
    : `${what} must be one plain line: ${JSON.stringify(value)}`;
const oneOf = (what: string, value: string, allowed: readonly string[]): Problem =>
  allowed.includes(value) ? null : `${what} must be one of ${allowed.join(', ')}: ${JSON.stringify(value)}`;

/** HAProxy keeps times in 32 bits of milliseconds, and half of them as its horizon. */
const LONGEST_MS = 2_147_483_647;
const duration = (what: string, value: number): Problem => whole(what, value, 1, LONGEST_MS);

/** Everything that is wrong with the options, each problem with the value in question; nothing that gets into the file unescaped is left out. */
export function configProblems(options: HaproxyConfigOptions): string[] {
  const { check, timeouts } = options;
  const durations = Object.entries({
    ...timeouts,
    intervalMs: check.intervalMs,
    fastIntervalMs: check.fastIntervalMs,
    downIntervalMs: check.downIntervalMs,
    timeoutMs: check.timeoutMs,
    hardStopAfterMs: options.hardStopAfterMs,
  });
  const backends = [options.masterBackend, options.standbyBackend, options.replicationBackend];
  return [
    word('masterBind', options.masterBind),
    word('standbyBind', options.standbyBind),
    word('replicationBind', options.replicationBind),
    word('holdBind', options.holdBind),
    word('adminBind', options.adminBind),
    word('userBind', options.userBind),
    word('masterCheckPath', options.masterCheckPath),
    word('standbyCheckPath', options.standbyCheckPath),
    name('masterBackend', options.masterBackend),
    name('standbyBackend', options.standbyBackend),
    name('replicationBackend', options.replicationBackend),
    new Set(backends).size < backends.length ? `backends must have different names: ${backends.join(', ')}` : null,
    oneOf('standbyMarkedDown', options.standbyMarkedDown, ['shutdown-sessions', 'keep-sessions']),
    line('log', options.log),
    whole('standbySlots', options.standbySlots, 1, 1000),
    whole('check.fall', check.fall, 1, 1000),
    whole('check.rise', check.rise, 1, 1000),
    whole('maxConnections', options.maxConnections, 1, 1_000_000),
    whole('threads', options.threads, 1, 64),
    ...durations.map(([what, value]) => duration(what, value)),
  ].filter((problem) => problem !== null);
}
