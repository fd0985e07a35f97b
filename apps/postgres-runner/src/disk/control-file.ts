import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** What `global/pg_control` tells. Source of the offsets: `ControlFileData` in PostgreSQL's pg_control.h, alike in 13 to 18. */
export interface ControlFile {
  readonly systemId: string;
  /** "In production": out of recovery, or it was when it crashed. */
  readonly inProduction: boolean;
  /**
   * The last shutdown was clean and out of recovery: the latest checkpoint is the end of the WAL. One that was shut down while it
   * was in recovery may hold WAL beyond its checkpoint.
   */
  readonly cleanShutdown: boolean;
  /** Timeline of the latest checkpoint: after a fast promotion the old one until the next checkpoint. */
  readonly timeline: number;
  /** The latest checkpoint as `pg_lsn` text. */
  readonly checkpointLsn: string;
}

const READ_BYTES = 64;
const OFFSET = { systemId: 0, version: 8, state: 16, checkpoint: 32, timeline: 48 } as const;
const STATE = { shutDown: 1, inProduction: 6 } as const;
/** `pg_control_version` of PostgreSQL 11 (the last change of these offsets); later ones are higher. */
const OLDEST_VERSION = 1100;
const NEWEST_STATE: number = STATE.inProduction;

function lsnText(high: number, low: number): string {
  return `${high.toString(16)}/${low.toString(16)}`.toUpperCase();
}

/**
 * Reads the beginning of a control file. PostgreSQL writes it in the machine's byte order; all it supports today are
 * little-endian but for s390x.
 * @throws RangeError if it cannot be a control file of PostgreSQL 11 or newer; the message names what is wrong.
 */
export function parseControlFile(bytes: Buffer): ControlFile {
  if (bytes.length < READ_BYTES) throw new RangeError(`the control file has only ${bytes.length} bytes`);
  const version = bytes.readUInt32LE(OFFSET.version);
  if (version < OLDEST_VERSION || version > 9_999) throw new RangeError(`unknown control file version ${version}`);
  const state = bytes.readUInt32LE(OFFSET.state);
  if (state > NEWEST_STATE) throw new RangeError(`unknown database state ${state} in the control file`);
  return {
    systemId: bytes.readBigUInt64LE(OFFSET.systemId).toString(),
    inProduction: state === STATE.inProduction,
    cleanShutdown: state === STATE.shutDown,
    timeline: bytes.readUInt32LE(OFFSET.timeline),
    checkpointLsn: lsnText(bytes.readUInt32LE(OFFSET.checkpoint + 4), bytes.readUInt32LE(OFFSET.checkpoint)),
  };
}

/** Reads one control file over and over: PostgreSQL writes it in place, so it can be kept open while a server runs. */
export class ControlFileReader {
  readonly #file: number;
  readonly #bytes = Buffer.alloc(READ_BYTES);
  readonly #parsed = Buffer.alloc(READ_BYTES);
  #current: ControlFile;

  /** @throws the file system's error, or RangeError from `parseControlFile`. */
  constructor(dataDir: string) {
    this.#file = openSync(join(dataDir, 'global', 'pg_control'), 'r');
    try {
      this.#current = this.#parse();
    } catch (error) {
      closeSync(this.#file);
      throw error;
    }
  }

  get current(): ControlFile {
    return this.#current;
  }

  /**
   * Reads it again; true if it has changed.
   * @throws as the constructor; `current` is then as it was.
   */
  read(): boolean {
    readSync(this.#file, this.#bytes, 0, READ_BYTES, 0);
    if (this.#bytes.equals(this.#parsed)) return false;
    this.#current = this.#parse();
    return true;
  }

  close(): void {
    closeSync(this.#file);
  }

  #parse(): ControlFile {
    const parsed = parseControlFile(this.#bytes.subarray(0, readSync(this.#file, this.#bytes, 0, READ_BYTES, 0)));
    this.#bytes.copy(this.#parsed);
    return parsed;
  }
}

/**
 * Reads the control file of a data directory.
 * @throws the file system's error, or RangeError from `parseControlFile`.
 */
export function readControlFile(dataDir: string): ControlFile {
  const reader = new ControlFileReader(dataDir);
  reader.close();
  return reader.current;
}
