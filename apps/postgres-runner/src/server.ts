import { existsSync, mkdirSync } from 'node:fs';
import type { Upstream } from '@ha-postgres/cluster-state';
import { monotonicNow, type Log } from '@ha-postgres/service-kit';
import type { Config } from './config';
import type { Settings } from './core/facts';
import type { Account } from './postgres/account';
import type { Binaries } from './postgres/binaries';
import { Postmaster, type RunningPostmaster } from './postgres/postmaster';
import { removeStaleLocks } from './postgres/postmaster-file';
import { receiversIn, terminate } from './postgres/receivers';
import type { ServerFiles } from './postgres/server-files';
import { ownedSettings } from './postgres/settings';

/** After a change of the upstream its receiver is looked for so often at first. */
const EAGER_MS = 5;
const EAGER_FOR_MS = 200;
/** The controller reads a Master's settings once a second, and believes what it has read twice. */
const SEEN_BY_ALL_MS = 5000;

/** Starts PostgreSQL and changes whom it receives from. */
export class Server {
  readonly #config: Config;
  readonly #dataDir: string;
  readonly #binaries: Binaries;
  readonly #account: Account;
  readonly #files: ServerFiles;
  readonly #log: Log;
  /** Receivers of the upstream before this one; null: any receiver is one too many. */
  #unwanted: ReadonlySet<number> | null = new Set();
  #eager: NodeJS.Timeout | null = null;
  #alteredSince: number | null = null;

  constructor(config: Config, dataDir: string, binaries: Binaries, account: Account, files: ServerFiles, log: Log) {
    this.#config = config;
    this.#dataDir = dataDir;
    this.#binaries = binaries;
    this.#account = account;
    this.#files = files;
    this.#log = log;
  }

  /**
   * Starts PostgreSQL. To be called only when no process of the data directory is left.
   * @throws the file system's error if its files cannot be written.
   */
  start(as: 'standby' | 'itself', upstream: Upstream | null): RunningPostmaster {
    const { socketDir, port } = this.#config;
    if (socketDir !== '' && !existsSync(socketDir)) {
      mkdirSync(socketDir, { recursive: true, mode: 0o755 });
      this.#account.own(socketDir);
    }
    this.#files.writeStatic();
    this.#files.writeConfig(upstream);
    this.#files.cleanAutoConf();
    this.#files.writeSignal(as === 'standby');
    this.#files.removeSlots();
    removeStaleLocks(this.#dataDir, socketDir, port);
    this.#unwanted = new Set();
    const settings = ownedSettings(this.#config, this.#files);
    const postmaster = new Postmaster(
      { binDir: this.#binaries.dir, dataDir: this.#dataDir, settings, upstream, asItself: as === 'itself' },
      this.#account,
      this.#log,
    );
    this.#log.info(
      { event: 'postgres.started', pid: postmaster.pid, as, upstream: upstream?.node ?? null },
      as === 'standby' ? 'PostgreSQL started in standby mode' : 'PostgreSQL started as a new cluster',
    );
    return postmaster;
  }

  get settings(): Settings {
    return this.#files.settings;
  }

  /** Writes other settings, and lets PostgreSQL read them if it runs. */
  configure(settings: Settings, postmaster: RunningPostmaster | null): void {
    this.#files.configure(settings);
    postmaster?.signal('SIGHUP');
    this.#log.info({ event: 'settings.changed', ...settings }, 'changed the settings that go with the role');
  }

  /**
   * Makes a running standby receive from another upstream, or from nobody, without a restart: PostgreSQL (from 13 on)
   * reads `primary_conninfo` again, but while replay is held up it does not end the old receiver, which goes on
   * acknowledging. So the receiver is ended from here.
   */
  repoint(postmaster: RunningPostmaster, upstream: Upstream | null): void {
    const began = monotonicNow();
    const receivers = receiversIn(this.#dataDir);
    this.#files.writeConfig(upstream);
    postmaster.signal('SIGHUP');
    terminate(receivers);
    const from = postmaster.upstream?.node ?? null;
    postmaster.upstream = upstream;
    postmaster.forgetWalGone();
    this.#unwanted = upstream === null ? null : new Set(receivers);
    this.#watchEagerly(monotonicNow() + EAGER_FOR_MS);
    const durationMs = Math.round((monotonicNow() - began) * 10) / 10;
    const fields = { event: 'upstream.changed', from, to: upstream?.node ?? null, durationMs };
    this.#log.info(fields, 'changed the upstream');
  }

  /** Ends receivers that are still there though they should not be. To be called every 50 ms while in recovery. */
  endUnwantedReceivers(): void {
    if (this.#unwanted?.size === 0) return;
    const receivers = receiversIn(this.#dataDir);
    const unwanted = this.#unwanted;
    if (unwanted === null) {
      terminate(receivers);
      return;
    }
    const left = receivers.filter((pid) => unwanted.has(pid));
    terminate(left);
    this.#unwanted = new Set(left);
  }

  /**
   * ALTER SYSTEM goes over what is written here. It is taken back only after a while: the controller must have seen by which rule
   * commits were acknowledged meanwhile. To be called once a second.
   */
  takeBackAltered(postmaster: RunningPostmaster): void {
    const names = this.#files.alteredSettings();
    if (names.length === 0) {
      this.#alteredSince = null;
      return;
    }
    this.#alteredSince ??= monotonicNow();
    if (monotonicNow() < this.#alteredSince + SEEN_BY_ALL_MS) return;
    this.#files.cleanAutoConf();
    postmaster.signal('SIGHUP');
    this.#log.error(
      { event: 'settings.altered', names },
      'took settings back that ALTER SYSTEM had put over the own ones',
    );
  }

  /** There is no PostgreSQL any more. */
  forget(): void {
    this.#alteredSince = null;
    this.#unwanted = new Set();
    if (this.#eager !== null) clearTimeout(this.#eager);
    this.#eager = null;
  }

  #watchEagerly(until: number): void {
    if (this.#eager !== null) clearTimeout(this.#eager);
    this.#eager = setTimeout(() => {
      this.#eager = null;
      this.endUnwantedReceivers();
      if (monotonicNow() < until && this.#unwanted?.size !== 0) this.#watchEagerly(until);
    }, EAGER_MS);
  }
}
