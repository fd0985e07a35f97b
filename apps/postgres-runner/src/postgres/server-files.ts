import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { termOfSlot, type Admits, type Upstream } from '@ha-postgres/cluster-state';
import { streamDoor } from '../core/stream-way';
import type { Account } from './account';
import { conninfo, passfileField, settingValue } from './quoting';
import type { Settings } from '../core/facts';
import { ADMITS_SETTING, isRunnersOwn, parseSetting } from './settings';

export interface ServerFilesSource {
  readonly node: string;
  readonly dataDir: string;
  readonly stateDir: string;
  readonly replicationName: string;
  readonly replicationPassword: string;
  readonly rewindName: string;
  readonly rewindPassword: string | undefined;
  readonly settings: readonly string[];
  /** Content of pg_hba.conf. */
  readonly hba: (admits: Admits) => string;
}

const STANDBY_NAMES = 'synchronous_standby_names';

/** How a Replica connects: a dead upstream is noticed within seconds, whatever the kernel's defaults are. */
const CONNECTION = { connect_timeout: 2, keepalives_idle: 2, keepalives_interval: 1, keepalives_count: 3 } as const;

/**
 * The files that the runner gives PostgreSQL, in a directory of their own: a base backup or a rewind copies all that is in the data
 * directory from another node, these not.
 */
export class ServerFiles {
  readonly directory: string;
  readonly config: string;
  readonly hba: string;
  readonly #passfile: string;
  readonly #source: ServerFilesSource;
  readonly #account: Account;
  #settings: Settings;
  #upstream: Upstream | null = null;

  constructor(source: ServerFilesSource, account: Account) {
    this.#source = source;
    this.#account = account;
    this.directory = join(source.stateDir, 'postgres');
    this.config = join(this.directory, 'postgresql.conf');
    this.hba = join(this.directory, 'pg_hba.conf');
    this.#passfile = join(this.directory, 'replication.pgpass');
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    account.own(this.directory);
    this.#settings = { synchronousStandbyNames: this.#standbyNamesBefore(), admits: 'everyone' };
  }

  get settings(): Settings {
    return this.#settings;
  }

  /** Takes other settings and writes them. A running PostgreSQL takes them up on SIGHUP. */
  configure(settings: Settings): void {
    this.#settings = settings;
    this.writeStatic();
    this.writeConfig(this.#upstream);
    this.cleanAutoConf();
  }

  /** Writes everything but the upstream, which `writeConfig` names. */
  writeStatic(): void {
    const { replicationName, replicationPassword, rewindName, rewindPassword, hba } = this.#source;
    this.#write(this.hba, hba(this.#settings.admits));
    const line = (name: string, password: string) => `*:*:*:${passfileField(name)}:${passfileField(password)}\n`;
    const rewind = rewindPassword === undefined ? '' : line(rewindName, rewindPassword);
    this.#write(this.#passfile, line(replicationName, replicationPassword) + rewind);
  }

  /** The connection string by which `pg_rewind` reads an upstream's files, without the password; null: there is no such user. */
  rewindConninfo(upstream: Upstream): string | null {
    const { rewindName, rewindPassword, node } = this.#source;
    if (rewindPassword === undefined) return null;
    return conninfo({
      host: upstream.host,
      port: upstream.port,
      user: rewindName,
      // Where the functions that it needs were granted.
      dbname: 'postgres',
      application_name: `${node}-rewind`,
      passfile: this.#passfile,
      ...CONNECTION,
    });
  }

  /** The connection string to an upstream's own address, without the password. */
  upstreamConninfo({ host, port }: Upstream, applicationName: string): string {
    return this.#replicationConninfo({ host, port }, applicationName);
  }

  #replicationConninfo(
    door: { readonly host: string; readonly port: string | number },
    applicationName: string,
  ): string {
    return conninfo({
      ...door,
      user: this.#source.replicationName,
      application_name: applicationName,
      passfile: this.#passfile,
      ...CONNECTION,
      tcp_user_timeout: 5_000,
    });
  }

  /** Writes postgresql.conf with this upstream. A running PostgreSQL takes it up on SIGHUP. */
  writeConfig(upstream: Upstream | null): void {
    this.#upstream = upstream;
    const { dataDir, settings, node } = this.#source;
    const { synchronousStandbyNames, admits } = this.#settings;
    const primary = upstream === null ? '' : this.#replicationConninfo(streamDoor(upstream), node);
    const lines = [
      '# Written by postgres-runner at every start and every change of the upstream.',
      `include_if_exists = ${settingValue(join(dataDir, 'postgresql.conf'))}`,
      ...settings.flatMap((text) => {
        const setting = parseSetting(text);
        return setting === null ? [] : [`${setting.name} = ${settingValue(setting.value)}`];
      }),
      "restore_command = ''",
      `primary_slot_name = ${settingValue(upstream?.slot ?? '')}`,
      `primary_conninfo = ${settingValue(primary)}`,
      `${STANDBY_NAMES} = ${settingValue(synchronousStandbyNames)}`,
      `${ADMITS_SETTING} = ${settingValue(admits)}`,
    ];
    this.#write(this.config, `${lines.join('\n')}\n`);
  }

  /** Makes the data directory one of a standby, or of a server that ends recovery by itself. */
  writeSignal(standby: boolean): void {
    const { dataDir } = this.#source;
    rmSync(join(dataDir, 'recovery.signal'), { force: true });
    // Left over from a promotion that was interrupted, it would promote the next start.
    rmSync(join(dataDir, 'promote'), { force: true });
    if (standby) this.#write(join(dataDir, 'standby.signal'), '');
    else rmSync(join(dataDir, 'standby.signal'), { force: true });
  }

  /**
   * Removes the slots that this node kept as Master: in another term they hold WAL back for nobody. `all`: also those of others, where
   * the directory was copied from another node.
   */
  removeSlots(all = false): void {
    const directory = join(this.#source.dataDir, 'pg_replslot');
    if (!existsSync(directory)) return;
    for (const name of readdirSync(directory)) {
      if (all || termOfSlot(name) !== null) rmSync(join(directory, name), { recursive: true, force: true });
    }
  }

  /** Takes out of postgresql.auto.conf (ALTER SYSTEM, `pg_basebackup -R`) what would override the upstream. */
  cleanAutoConf(): void {
    const { path, lines, kept } = this.#autoConf();
    if (kept.length !== lines.length) this.#write(path, kept.join('\n'));
  }

  /** Names in postgresql.auto.conf that are not to be there. */
  alteredSettings(): string[] {
    const { lines, kept } = this.#autoConf();
    const altered = lines.filter((line) => !kept.includes(line));
    return altered.map((line) => parseSetting(line)?.name ?? line);
  }

  #autoConf() {
    const path = join(this.#source.dataDir, 'postgresql.auto.conf');
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
    const kept = lines.filter((line) => !isRunnersOwn(parseSetting(line)?.name ?? ''));
    return { path, lines, kept };
  }

  /** What a former runner wrote: a Master's controller need not know it to go on. */
  #standbyNamesBefore(): string {
    if (!existsSync(this.config)) return '';
    const lines = readFileSync(this.config, 'utf8').split('\n');
    const line = lines.map(parseSetting).findLast((setting) => setting?.name === STANDBY_NAMES);
    return line === undefined || line === null ? '' : line.value.slice(1, -1).replaceAll("''", "'");
  }

  /** Not synced: after a crash of the machine it is written again before PostgreSQL starts. */
  #write(path: string, text: string): void {
    const temporary = `${path}.new`;
    writeFileSync(temporary, text, { mode: 0o600 });
    chmodSync(temporary, 0o600);
    this.#account.own(temporary);
    renameSync(temporary, path);
  }
}
