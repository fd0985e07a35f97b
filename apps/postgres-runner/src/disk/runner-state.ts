import { join } from 'node:path';
import type { Divergence } from '@ha-postgres/cluster-state';
import { bootId, readStateFile, writeStateFile, type Log } from '@ha-postgres/service-kit';
import type { RejoinMark } from '../core/facts';

/** What the runner must not forget. It lies outside the data directory, which a base backup copies to other nodes. */
export interface Marks {
  /**
   * `unfinished`: the directory is half made (initdb or wiping was interrupted). `fresh`: made here by `initialise`, never
   * started as a member of a cluster.
   */
  readonly mark: 'unfinished' | 'fresh' | null;
  /** System identifier of the cluster that this node is a member of. */
  readonly systemId: string | null;
  readonly rejoin: RejoinMark | null;
  /** What this node's WAL held beyond the fork when it was last compared. */
  readonly divergence: Divergence | null;
}

const NO_MARKS: Marks = { mark: null, systemId: null, rejoin: null, divergence: null };
const STAGES: readonly RejoinMark['stage'][] = ['refused', 'unfinished', 'ancestor', 'rewound', 'copied'];

interface Stored extends Marks {
  readonly node: string;
  readonly bootId: string;
  readonly dataDir: string;
}

function isRejoinMark(value: unknown): value is RejoinMark {
  const { term, stage } = (value ?? {}) as Partial<Record<keyof RejoinMark, unknown>>;
  return typeof term === 'number' && STAGES.some((one) => one === stage);
}

function isStored(value: unknown): value is Stored {
  if (typeof value !== 'object' || value === null) return false;
  const { node, dataDir, mark, systemId, rejoin } = value as Partial<Record<keyof Stored, unknown>>;
  return (
    typeof node === 'string' &&
    typeof dataDir === 'string' &&
    (mark === null || mark === 'unfinished' || mark === 'fresh') &&
    (systemId === null || typeof systemId === 'string') &&
    // Versions before 0.2 did not have it.
    (rejoin === undefined || rejoin === null || isRejoinMark(rejoin))
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
    const { mark, systemId, rejoin, divergence }: Marks = isOurs ? { ...NO_MARKS, ...stored } : NO_MARKS;
    this.#marks = { mark, systemId, rejoin, divergence };
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
