import { monotonicNow, type Millis } from '@ha-postgres/service-kit';
import { History, type EventOf, type HistoryEvent, type Server } from './history';
import { HistoryFile } from './history-file';

/** Keeps the history of a run: in memory, and in a file if one is wanted. */
export class Recorder {
  readonly history = new History();
  private readonly file: HistoryFile | null;
  private lastId = 0;

  /** @throws Error if the file is there already. */
  constructor(run: Pick<EventOf<'run'>, 'run' | 'nodes'>, path: string | null) {
    this.file = path === null ? null : new HistoryFile(path);
    this.add({ type: 'run', version: 1, at: monotonicNow(), startedAt: new Date().toISOString(), ...run });
  }

  get run(): string {
    return this.history.run?.run ?? '';
  }

  /** An id that this run has not used yet. */
  nextId(): number {
    this.lastId += 1;
    return this.lastId;
  }

  sent(write: Pick<EventOf<'sent'>, 'id' | 'writer' | 'direct'>): void {
    this.add({ type: 'sent', at: monotonicNow(), ...write });
  }

  acknowledged(id: number, by: Server, connectedAt: Millis): void {
    this.add({ type: 'acknowledged', at: monotonicNow(), id, by, connectedAt });
  }

  failed(write: Omit<EventOf<'failed'>, 'type' | 'at'>): void {
    this.add({ type: 'failed', at: monotonicNow(), ...write });
  }

  promoted(promotion: Pick<EventOf<'promoted'>, 'term' | 'node' | 'timeline'>): void {
    this.add({ type: 'promoted', at: monotonicNow(), ...promotion });
  }

  ended(): void {
    this.add({ type: 'ended', at: monotonicNow() });
  }

  stored(reading: Pick<EventOf<'stored'>, 'by' | 'ranges'>): void {
    this.add({ type: 'stored', at: monotonicNow(), ...reading });
  }

  close(): void {
    this.file?.close();
  }

  private add(event: HistoryEvent): void {
    this.file?.add(event);
    this.history.add(event);
  }
}
