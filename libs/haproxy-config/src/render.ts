import { withDefaults, type CheckOptions, type HaproxyConfigInput, type HaproxyConfigOptions } from './options';
import { configProblems } from './problems';

/**
 * Where a server leads until lb-syncer has given it an address. It is in maint then; should anybody make it ready all the
 * same, connections are refused. (An address 0.0.0.0 would be worse: HAProxy then connects to where the client meant to go.)
 */
const NOWHERE = '127.0.0.1:1';

/** Milliseconds in HAProxy's notation, with the largest unit that fits evenly. */
function time(ms: number): string {
  const units: readonly [string, number][] = [
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
  ];
  const unit = units.find(([, size]) => ms % size === 0);
  return unit === undefined ? `${ms}ms` : `${ms / unit[1]}${unit[0]}`;
}

function section(title: string, lines: readonly (string | null)[]): string {
  return [title, ...lines.filter((line) => line !== null).map((line) => `    ${line}`)].join('\n');
}

const checked = (check: CheckOptions, markedDown: string | null): string =>
  [
    'default-server check addr 127.0.0.1 port 1',
    `inter ${time(check.intervalMs)} fastinter ${time(check.fastIntervalMs)} downinter ${time(check.downIntervalMs)}`,
    `fall ${check.fall} rise ${check.rise}`,
    ...(markedDown === null ? [] : [`on-marked-down ${markedDown}`]),
  ].join(' ');

/**
 * Traces nothing: it is there because a stream that has any filter ends when its server is closed to it while it is still being connected. One
 * without stays for ever on HAProxy 3.0.11 (`maint`, `shutdown sessions` and a failed check all do it), and its client hears nothing, ever. This is
 * the only filter that both 2.6 and 3.x put on TCP and that needs nothing else; what it costs was less than could be measured.
 */
const ENDS_WHILE_CONNECTING = 'filter trace quiet';

// Every server begins `disabled`: a HAProxy that has just started refuses until lb-syncer has told it where to, rather than misroute.
const server = (name: string): string => `server ${name} ${NOWHERE} disabled`;

// With a limit, though it is never reached: a server without one takes nobody out of the backend's queue when it comes up, from HAProxy 3.0.11
// on, and clients that a switchover held would wait until `timeout queue`.
const masterServer = (options: HaproxyConfigOptions): string =>
  `server master0 ${NOWHERE} maxconn ${options.maxConnections} disabled`;

function globalSection(options: HaproxyConfigOptions): string {
  return section('global', [
    `maxconn ${options.maxConnections}`,
    `nbthread ${options.threads}`,
    `hard-stop-after ${time(options.hardStopAfterMs)}`,
    `stats socket ${options.adminBind} level admin`,
    options.userBind === null ? null : `stats socket ${options.userBind} level user`,
    'stats maxconn 20',
    options.log === null ? null : `log ${options.log}`,
  ]);
}

function defaultsSection({ timeouts, check, log }: HaproxyConfigOptions): string {
  return section('defaults', [
    'mode tcp',
    log === null ? null : 'log global',
    log === null ? null : 'option dontlog-normal',
    'option tcpka',
    // HAProxy waits a second before it tries the same server again: whoever meets a Master that has just died would wait
    // it out, although a new Master is there after a third of it.
    'retries 0',
    `timeout connect ${time(timeouts.connectMs)}`,
    `timeout client ${time(timeouts.clientMs)}`,
    `timeout server ${time(timeouts.serverMs)}`,
    `timeout queue ${time(timeouts.queueMs)}`,
    `timeout check ${time(check.timeoutMs)}`,
  ]);
}

/**
 * A server that takes one connection, which lb-syncer occupies through a bind of its own: the backend is up then and full, so
 * clients wait in its queue. (With `set maxconn frontend … 0` HAProxy 2.6.12 deadlocks as soon as one client waits.) With weight 0
 * it is nobody's but that bind's, so no client can be led there before the plug is in.
 */
function plug(bind: string): string[] {
  return [
    `bind ${bind} name hold`,
    'use-server hold if { so_name -m str hold }',
    `server hold ${NOWHERE} no-check weight 0 maxconn 1 disabled`,
  ];
}

function masterSection(options: HaproxyConfigOptions): string {
  return section(`listen ${options.masterBackend}`, [
    `bind ${options.masterBind}`,
    ENDS_WHILE_CONNECTING,
    `option httpchk GET ${options.masterCheckPath}`,
    'http-check expect status 200',
    // A Master that is marked down may have been fenced: its clients must learn it at once.
    checked(options.check, 'shutdown-sessions'),
    masterServer(options),
    ...(options.holdBind === null ? [] : plug(options.holdBind)),
  ]);
}

function standbySection(options: HaproxyConfigOptions): string {
  return section(`listen ${options.standbyBackend}`, [
    `bind ${options.standbyBind}`,
    ENDS_WHILE_CONNECTING,
    'balance leastconn',
    // Another Replica is tried at once.
    'retries 2',
    'option redispatch 1',
    `option httpchk GET ${options.standbyCheckPath}`,
    'http-check expect status 200',
    checked(options.check, options.standbyMarkedDown === 'shutdown-sessions' ? 'shutdown-sessions' : null),
    ...Array.from({ length: options.standbySlots }, (_, slot) => server(`standby${slot}`)),
  ]);
}

// No check: replication follows the key's holder until it has released the key, also while it drains.
function replicationSection(options: HaproxyConfigOptions, bind: string): string {
  return section(`listen ${options.replicationBackend}`, [
    `bind ${bind}`,
    ENDS_WHILE_CONNECTING,
    server('replication0'),
  ]);
}

/**
 * Writes a `haproxy.cfg` (HAProxy 2.6 to 3.2; needs no root) for lb-syncer to drive.
 * @throws RangeError naming every option that is out of range or would not stay on its place in the file.
 */
export function renderHaproxyConfig(input: HaproxyConfigInput = {}): string {
  const options = withDefaults(input);
  const problems = configProblems(options);
  if (problems.length > 0) throw new RangeError(`haproxy.cfg: ${problems.join('; ')}`);
  return `${[
    globalSection(options),
    defaultsSection(options),
    masterSection(options),
    standbySection(options),
    ...(options.replicationBind === null ? [] : [replicationSection(options, options.replicationBind)]),
  ].join('\n\n')}\n`;
}
