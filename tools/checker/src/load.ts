import { randomBytes } from 'node:crypto';
import { monotonicNow, pause } from '@ha-postgres/service-kit';
import { checkHistory, type Allowances } from './check';
import type { ConnectionPlace } from './connection';
import type { History } from './history';
import { onMaster } from './master-connection';
import { Promotions } from './promotions';
import { Recorder } from './recorder';
import type { Address, Targets } from './targets';
import type { Verdict } from './verdict';
import { Writer } from './writer';
import { makeWritesTable, readWrites } from './writes-table';

/** A kind of client; one of it writes through each master port. */
export interface ClientKind {
  /** How often it writes, in milliseconds. */
  readonly everyMs: number;
  /** It opens a connection for each write; else it keeps one until that breaks. */
  readonly isFresh: boolean;
}

export interface LoadOptions extends Targets {
  /** Default: one, every 10 ms, on one connection. */
  readonly clients?: readonly ClientKind[];
  /** How often a write is tried on each node past the load balancers, in milliseconds; null: never. Default 200. */
  readonly probeEveryMs?: number | null;
  /** Connecting, and a write, have failed after this, in milliseconds. Default 1000. */
  readonly timeoutMs?: number;
  /** Where the history is recorded as it goes; null: in memory only. Default null. */
  readonly historyFile?: string | null;
  /** How long a Master is waited for at the beginning, and to read the table at the end, in milliseconds. Default 60 s. */
  readonly patienceMs?: number;
}

type Settings = Required<LoadOptions>;

const DEFAULTS = {
  clients: [{ everyMs: 10, isFresh: false }],
  probeEveryMs: 200,
  timeoutMs: 1_000,
  historyFile: null,
  patienceMs: 60_000,
} as const;
const LOOK_AGAIN_MS = 20;
const MAKING_MS = 10_000;
/** Long: a whole table is read. */
const READING_MS = 60_000;

/** Clients behind the load balancers that write all the time, a prober of the nodes, and the record of it all. */
export class Load {
  private readonly clients: readonly Writer[];
  private readonly straight: Writer[] = [];
  private readonly probers: readonly Writer[];
  private readonly promotions: Promotions | null;
  private stopping: Promise<void> | null = null;

  private constructor(
    private readonly settings: Settings,
    private readonly recorder: Recorder,
  ) {
    this.clients = clientsOf(settings, recorder);
    this.probers = probersOf(settings, recorder);
    this.promotions = settings.consul === null ? null : Promotions.follow(recorder, settings.consul);
  }

  /** @see startLoad */
  static async start(options: LoadOptions, signal?: AbortSignal): Promise<Load> {
    const settings: Settings = { ...DEFAULTS, ...options };
    const { patienceMs, nodes, historyFile } = settings;
    await onMaster(waysTo(settings), { patienceMs, statementMs: MAKING_MS, signal }, ({ client }) =>
      makeWritesTable(client),
    );
    return new Load(settings, new Recorder({ run: randomBytes(4).toString('hex'), nodes }, historyFile));
  }

  /** All that has happened so far. */
  get history(): History {
    return this.recorder.history;
  }

  /** Resolves when every client has so many more writes acknowledged than now. @throws Error if not in time. */
  async moreWrites(count: number, timeoutMs = this.settings.patienceMs, signal?: AbortSignal): Promise<void> {
    const deadline = monotonicNow() + timeoutMs;
    const aims = this.clients.map((client) => [client, client.acknowledged.length + count] as const);
    for (const [client, aim] of aims) {
      while (client.acknowledged.length < aim) {
        signal?.throwIfAborted();
        if (monotonicNow() > deadline)
          throw new Error(`${client.name}: no ${count} more acknowledged writes in ${timeoutMs} ms`);
        await pause(LOOK_AGAIN_MS, signal);
      }
    }
  }

  /**
   * Another client, past the load balancers; it ends with the load. @throws RangeError if there is no such node.
   */
  writeStraightTo(name: string, kind: ClientKind): Writer {
    const node = this.settings.nodes.find((one) => one.name === name);
    if (node === undefined) throw new RangeError(`no node ${JSON.stringify(name)} among those of the load`);
    const place = placeAt(this.settings, node);
    const { timeoutMs } = this.settings;
    const options = { name: `straight${this.straight.length}:${name}`, place, direct: name, timeoutMs, ...kind };
    const writer = Writer.start(this.recorder, options);
    this.straight.push(writer);
    return writer;
  }

  /** Ends all writers; may be called again. */
  stop(): Promise<void> {
    return (this.stopping ??= this.end());
  }

  /** Ends all writers, reads what is stored through the load balancers, and judges. Never throws for what the cluster did. */
  async finish(allowances: Allowances = {}): Promise<Verdict> {
    await this.stop();
    const { patienceMs } = this.settings;
    const patience = { patienceMs, statementMs: READING_MS, signal: undefined };
    try {
      const reading = await onMaster(waysTo(this.settings), patience, ({ client }) =>
        readWrites(client, this.recorder.run),
      );
      this.recorder.stored(reading);
    } catch {
      // The verdict says that nobody knows what is stored.
    }
    this.recorder.close();
    return checkHistory(this.history, allowances);
  }

  private async end(): Promise<void> {
    await Promise.all([...this.clients, ...this.probers, ...this.straight].map((writer) => writer.stop()));
    this.recorder.ended();
    await this.promotions?.stop();
  }
}

/**
 * Makes the table, which waits for a Master, and starts to write until `finish`.
 * @throws Error if there is no Master in time, or the history file is there already.
 */
export function startLoad(options: LoadOptions, signal?: AbortSignal): Promise<Load> {
  return Load.start(options, signal);
}

function clientsOf(settings: Settings, recorder: Recorder): Writer[] {
  const { clients, timeoutMs } = settings;
  const ways = waysTo(settings).flatMap((place) => clients.map((kind) => ({ place, ...kind })));
  return ways.map((way, index) => Writer.start(recorder, { name: `client${index}`, direct: null, timeoutMs, ...way }));
}

function probersOf(settings: Settings, recorder: Recorder): Writer[] {
  const { nodes, probeEveryMs, timeoutMs } = settings;
  if (probeEveryMs === null) return [];
  return nodes.map((node) =>
    Writer.start(recorder, {
      name: `prober:${node.name}`,
      place: placeAt(settings, node),
      direct: node.name,
      everyMs: probeEveryMs,
      timeoutMs,
      isFresh: false,
    }),
  );
}

function waysTo(settings: Settings): ConnectionPlace[] {
  return settings.masters.map((address) => placeAt(settings, address));
}

function placeAt({ user, password, database }: Settings, { host, port }: Address): ConnectionPlace {
  return { host, port, user, password, database };
}
