import { join } from 'node:path';
import { bootId, readStateFile, writeStateFile, type Log } from '@ha-postgres/service-kit';

/** What the runner must not forget. It lies outside the data directory, which a base backup copies to other nodes. */
export interface Marks {
  /**
   * `unfinished`: the directory is half made (initdb or wiping was interrupted). `fresh`: made here by `initialise`, never
   * started as a member of a cluster.
   */
  readonly mark: 'unfinished' | 'fresh' | null;
  /** System identifier of the cluster that this node is a member of. */
  readonly systemId: string | null;
  /** The present series of `reclone` answers has been carried out. */
  readonly recloned: boolean;
}

const NO_MARKS: Marks = { mark: null, systemId: null, recloned: false };

interface Stored extends Marks {
  readonly node: string;
  readonly bootId: string;
  readonly dataDir: string;
}

function isStored(value: unknown): value is Stored {
  if (typeof value !== 'object' || value === null) return false;
  const { node, dataDir, mark, systemId, recloned } = value as Partial<Record<keyof Stored, unknown>>;
  return (
    typeof node === 'string' &&
    typeof dataDir === 'string' &&
    (mark === null || mark === 'unfinished' || mark === 'fresh') &&
    (systemId === null || typeof systemId === 'string') &&
    typeof recloned === 'boolean'
  );
}

/** The marks of one node's data directory, durable before anything relies on them. */
export class RunnerState {
  readonly #path: string;
  readonly #node: string;
  readonly #dataDir: string;
  #marks: Marks;

  /** @throws CodedError HAPG_STATE_FILE_UNREADABLE if there is a state file that is not JSON. */
  constructor(stateDir: string, node: string, dataDir: string, log: Log) {
    this.#path = join(stateDir, 'runner.json');
    this.#node = node;
    this.#dataDir = dataDir;
    const stored = readStateFile(this.#path);
    const isOurs = isStored(stored) && stored.node === node && stored.dataDir === dataDir;
    if (stored !== null && !isOurs) {
      log.warn({ event: 'state.foreign', path: this.#path, stored }, 'the state file is not about this node: ignored');
    }
    this.#marks = isOurs ? { mark: stored.mark, systemId: stored.systemId, recloned: stored.recloned } : NO_MARKS;
  }

  get marks(): Marks {
    return this.#marks;
  }

  /** Writes through to the disk before it returns. */
  update(change: Partial<Marks>): void {
    this.#marks = { ...this.#marks, ...change };
    const stored: Stored = { ...this.#marks, node: this.#node, bootId: bootId(), dataDir: this.#dataDir };
    writeStateFile(this.#path, stored);
  }
}
