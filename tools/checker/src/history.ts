import type { Millis } from '@ha-postgres/service-kit';

/** A server as it says of itself, in the very transaction that it acknowledged. */
export interface Server {
  /** Its own end of the connection, `ADDRESS:PORT`; null over a unix socket. */
  readonly address: string | null;
  /** When its postmaster started: tells servers apart that have the same address in different networks. */
  readonly startedAt: string;
  /** From the name of its WAL file. Two servers that promoted without knowing of each other may have the same one. */
  readonly timeline: number;
}

/** A node as the checker was told to reach it. */
export interface NodePlace {
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

/** Stored rows as ranges of ids, `[first, last, how often each stands there]`. */
export type StoredRange = readonly [first: number, last: number, times: number];

/** What was recorded, one line of the file each. `at` is CLOCK_MONOTONIC of the checker's machine. */
export type HistoryEvent =
  | {
      readonly type: 'run';
      readonly version: 1;
      readonly at: Millis;
      /** Tells the rows of this run from those of others. */
      readonly run: string;
      /** Wall clock, for people only. */
      readonly startedAt: string;
      readonly nodes: readonly NodePlace[];
    }
  | {
      /** The write goes out next: recorded before it can have had an effect. */
      readonly type: 'sent';
      readonly at: Millis;
      readonly id: number;
      readonly writer: string;
      /** The node that the writer is connected with past the load balancer; null: whoever the load balancer leads to. */
      readonly direct: string | null;
    }
  | {
      readonly type: 'acknowledged';
      readonly at: Millis;
      readonly id: number;
      readonly by: Server;
      /** When the connection that carried it was opened. */
      readonly connectedAt: Millis;
    }
  | {
      readonly type: 'failed';
      readonly at: Millis;
      readonly id: number;
      readonly writer: string;
      readonly direct: string | null;
      /** It was sent, and nobody knows whether it was carried out. */
      readonly isAmbiguous: boolean;
      readonly why: string;
    }
  /** A promotion, as Consul's key `history` tells it: gives a timeline of a node its term. */
  | {
      readonly type: 'promoted';
      readonly at: Millis;
      readonly term: number;
      readonly node: string;
      readonly timeline: number;
    }
  /** All writers have stopped. */
  | { readonly type: 'ended'; readonly at: Millis }
  /** What stands in the table at the end, read through the way of the clients. */
  | {
      readonly type: 'stored';
      readonly at: Millis;
      readonly by: Server;
      readonly ranges: readonly StoredRange[];
    };

export type EventOf<T extends HistoryEvent['type']> = Extract<HistoryEvent, { readonly type: T }>;

/** One attempt to write. */
export interface Write {
  readonly id: number;
  readonly writer: string;
  readonly direct: string | null;
  /** Null: it failed before it could be sent. */
  readonly sentAt: Millis | null;
  readonly acknowledgement: EventOf<'acknowledged'> | null;
  readonly failure: EventOf<'failed'> | null;
}

/** A write that was acknowledged. */
export interface AcknowledgedWrite extends Write {
  readonly sentAt: Millis;
  readonly acknowledgement: EventOf<'acknowledged'>;
}

/** All that was recorded of a run, in order. */
export class History {
  readonly acknowledged: AcknowledgedWrite[] = [];
  readonly promotions: EventOf<'promoted'>[] = [];
  private readonly byId = new Map<number, Write>();
  private failedCount = 0;
  private runEvent: EventOf<'run'> | null = null;
  private storedEvent: EventOf<'stored'> | null = null;
  private lastAt: Millis | null = null;
  private endedAt: Millis | null = null;

  /** @throws RangeError if the event cannot follow those before it: the record is damaged. */
  add(event: HistoryEvent): void {
    this.lastAt = event.at;
    switch (event.type) {
      case 'run':
        this.runEvent = event;
        break;
      case 'sent':
        this.begin({ ...event, sentAt: event.at, acknowledgement: null, failure: null });
        break;
      case 'acknowledged':
        this.acknowledge(event);
        break;
      case 'failed':
        this.fail(event);
        break;
      case 'promoted':
        this.promotions.push(event);
        break;
      case 'ended':
        this.endedAt = event.at;
        break;
      case 'stored':
        this.storedEvent = event;
        break;
    }
  }

  static of(events: Iterable<HistoryEvent>): History {
    const history = new History();
    for (const event of events) history.add(event);
    return history;
  }

  get run(): EventOf<'run'> | null {
    return this.runEvent;
  }

  /** Null: the table could not be read, or the run was cut off before it. */
  get stored(): EventOf<'stored'> | null {
    return this.storedEvent;
  }

  /** When the writers stopped; of a run that was cut off, its last event. */
  get end(): Millis {
    return this.endedAt ?? this.lastAt ?? 0;
  }

  /** Every attempt, in the order in which they began. */
  get writes(): IterableIterator<Write> {
    return this.byId.values();
  }

  get attempts(): number {
    return this.byId.size;
  }

  /** Attempts that have failed so far; those that still wait for their answer are not among them. */
  get failed(): number {
    return this.failedCount;
  }

  write(id: number): Write | undefined {
    return this.byId.get(id);
  }

  private begin({ id, writer, direct, sentAt, acknowledgement, failure }: Write): void {
    if (this.byId.has(id)) throw new RangeError(`write ${id} began twice`);
    this.byId.set(id, { id, writer, direct, sentAt, acknowledgement, failure });
  }

  private acknowledge(event: EventOf<'acknowledged'>): void {
    const { sentAt, ...write } = this.unanswered(event.id);
    if (sentAt === null) throw new RangeError(`write ${event.id} was acknowledged and never sent`);
    const acknowledged = { ...write, sentAt, acknowledgement: event };
    this.byId.set(event.id, acknowledged);
    this.acknowledged.push(acknowledged);
  }

  private fail(event: EventOf<'failed'>): void {
    this.failedCount += 1;
    if (!this.byId.has(event.id)) this.begin({ ...event, sentAt: null, acknowledgement: null, failure: event });
    else this.byId.set(event.id, { ...this.unanswered(event.id), failure: event });
  }

  private unanswered(id: number): Write {
    const write = this.byId.get(id);
    if (write === undefined) throw new RangeError(`write ${id} was answered and never sent`);
    if (write.acknowledgement !== null || write.failure !== null)
      throw new RangeError(`write ${id} was answered twice`);
    return write;
  }
}

/** Through the load balancer, as clients write; the others are the prober's, or of a client past it. */
export function isClients({ direct }: Write): boolean {
  return direct === null;
}

/** It was sent and nobody knows what became of it: its answer is missing, or says so. */
export function isAmbiguous({ sentAt, acknowledgement, failure }: Write): boolean {
  return acknowledgement === null && sentAt !== null && failure?.isAmbiguous !== false;
}

/** The first acknowledgement on a connection that was opened after a moment, or null. */
export function firstOnConnectionAfter({ acknowledged }: History, moment: Millis): AcknowledgedWrite | null {
  return acknowledged.find(({ acknowledgement }) => acknowledgement.connectedAt > moment) ?? null;
}
