import { readColumns, type Row } from './columns';
import { query, type Query } from './command';
import { unreadable } from './errors';
import { name } from './words';

/** `stopped`: takes no connection; `starting`: slow start; `stopping`: only those that belong to it already. */
export type OperationalState = 'stopped' | 'starting' | 'running' | 'stopping';

const OPERATIONAL_STATES: readonly OperationalState[] = ['stopped', 'starting', 'running', 'stopping'];

/** The bits of `srv_admin_state` (HAProxy management guide, "show servers state"). */
export interface AdminState {
  readonly bits: number;
  /** 0x01: by the Runtime API or `disabled`. */
  readonly forcedMaint: boolean;
  /** 0x02: from a tracked server. */
  readonly inheritedMaint: boolean;
  /** 0x04: was `disabled` in the file. Stays set after `ready`, so it says nothing about now. */
  readonly configuredMaint: boolean;
  /** 0x08. */
  readonly forcedDrain: boolean;
  /** 0x10: from a tracked server. */
  readonly inheritedDrain: boolean;
  /** 0x20: its name did not resolve. */
  readonly resolutionMaint: boolean;
  /** 0x40. */
  readonly fqdnChanged: boolean;
  /** In maintenance now: 0x01, 0x02 or 0x20. */
  readonly isMaint: boolean;
  /** Draining now: 0x08 or 0x10. */
  readonly isDrain: boolean;
}

export function decodeAdminState(bits: number): AdminState {
  const has = (mask: number): boolean => (bits & mask) !== 0;
  return {
    bits,
    forcedMaint: has(0x01),
    inheritedMaint: has(0x02),
    configuredMaint: has(0x04),
    forcedDrain: has(0x08),
    inheritedDrain: has(0x10),
    resolutionMaint: has(0x20),
    fqdnChanged: has(0x40),
    isMaint: has(0x01 | 0x02 | 0x20),
    isDrain: has(0x08 | 0x10),
  };
}

export interface ServerState {
  readonly backendId: number;
  readonly backend: string;
  readonly serverId: number;
  readonly server: string;
  /** Undefined if the server has no address yet. */
  readonly address: string | undefined;
  /** 0 if it has none. */
  readonly port: number;
  readonly operationalState: OperationalState;
  readonly adminState: AdminState;
  /** In effect now (`srv_uweight`). */
  readonly weight: number;
  /** From the configuration (`srv_iweight`). */
  readonly initialWeight: number;
  readonly secondsSinceChange: number;
  /** 0 unknown, 1 neutral, 2 failed, 3 passed, 4 passed conditionally. */
  readonly checkResult: number;
  /** Checks passed in a row, as HAProxy counts: at `rise` and above the server is up. */
  readonly checkHealth: number;
  readonly checkConfigured: boolean;
  readonly checkEnabled: boolean;
  readonly checkPaused: boolean;
  /** Undefined: checked at `address`. */
  readonly checkAddress: string | undefined;
  /** 0: checked at `port`. */
  readonly checkPort: number;
  readonly fqdn: string | undefined;
}

function operationalState(row: Row): OperationalState {
  const state = OPERATIONAL_STATES[row.integer('srv_op_state')];
  if (state === undefined) throw unreadable('unknown srv_op_state', row.text('srv_op_state'));
  return state;
}

function checkState(row: Row): Pick<ServerState, 'checkConfigured' | 'checkEnabled' | 'checkPaused'> {
  const bits = row.integer('srv_check_state');
  return { checkConfigured: (bits & 2) !== 0, checkEnabled: (bits & 4) !== 0, checkPaused: (bits & 8) !== 0 };
}

const readServer = (row: Row): ServerState => ({
  backendId: row.integer('be_id'),
  backend: row.text('be_name'),
  serverId: row.integer('srv_id'),
  server: row.text('srv_name'),
  address: row.optionalText('srv_addr'),
  port: row.integer('srv_port'),
  operationalState: operationalState(row),
  adminState: decodeAdminState(row.integer('srv_admin_state')),
  weight: row.integer('srv_uweight'),
  initialWeight: row.integer('srv_iweight'),
  secondsSinceChange: row.integer('srv_time_since_last_change'),
  checkResult: row.integer('srv_check_result'),
  checkHealth: row.integer('srv_check_health'),
  ...checkState(row),
  checkAddress: row.optionalText('srv_check_addr'),
  checkPort: row.integer('srv_check_port'),
  fqdn: row.optionalText('srv_fqdn'),
});

/** The only format there has been; another one may mean anything. */
const FORMAT_VERSION = '1';

export function parseServersState(text: string): readonly ServerState[] {
  const version = text.trimStart().split('\n', 1)[0]?.trim();
  if (version !== FORMAT_VERSION) throw unreadable(`expected format ${FORMAT_VERSION} of "show servers state"`, text);
  return readColumns(text).map(readServer);
}

/** State of all servers, or of one backend's; reading it changes nothing. */
export const showServersState = (backend?: string): Query<readonly ServerState[]> =>
  query(`show servers state${backend === undefined ? '' : ` ${name('backend', backend)}`}`, parseServersState);
