import { readColumns, type Row } from './columns';
import { query, type Query } from './command';
import { unreadable } from './errors';
import { name } from './words';

/** HTTP connections HAProxy holds to a server: used ones, and idle ones kept for reuse. All 0 in mode tcp. */
export interface ServerConnections {
  readonly backend: string;
  readonly server: string;
  readonly address: string | undefined;
  readonly port: number;
  readonly used: number;
  readonly usedMax: number;
  readonly needed: number;
  readonly idleUnsafe: number;
  readonly idleSafe: number;
  /** -1: no limit. */
  readonly idleLimit: number;
  readonly idle: number;
}

function readServer(row: Row): ServerConnections {
  const [backend, server, ...rest] = row.text('bkname/svname').split('/');
  if (backend === undefined || server === undefined || rest.length > 0) {
    throw unreadable('not a backend and a server', row.text('bkname/svname'));
  }
  return {
    backend,
    server,
    address: row.optionalText('addr'),
    port: row.integer('port'),
    used: row.integer('used_cur'),
    usedMax: row.integer('used_max'),
    needed: row.integer('need_est'),
    idleUnsafe: row.integer('unsafe_nb'),
    idleSafe: row.integer('safe_nb'),
    idleLimit: row.integer('idle_lim'),
    idle: row.integer('idle_cur'),
  };
}

export const parseServersConnections = (text: string): readonly ServerConnections[] =>
  readColumns(text).map(readServer);

export const showServersConnections = (backend?: string): Query<readonly ServerConnections[]> =>
  query(`show servers conn${backend === undefined ? '' : ` ${name('backend', backend)}`}`, parseServersConnections);

/** Names of all backends. */
export const showBackend = (): Query<readonly string[]> =>
  query('show backend', (text) => readColumns(text).map((row) => row.text('name')));
