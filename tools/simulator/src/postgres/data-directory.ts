import { FIRST_TIMELINE, type Timeline } from './timeline';
import { FIRST_LSN, Wal } from './wal';

/** What `pg_control` tells. */
export interface Control {
  readonly inProduction: boolean;
  readonly cleanShutdown: boolean;
  /** Of the latest checkpoint: the old one for a while after a promotion. */
  readonly timeline: number;
  readonly checkpoint: number;
}

/** A database cluster on disk: all of it survives every crash. */
export class Database {
  wal: Wal;
  timeline: Timeline;
  /** History files. */
  readonly known: Map<number, Timeline>;
  control: Control;
  hasStandbySignal = false;
  /** WAL before this has been removed. */
  oldest: number;

  constructor(
    readonly systemId: string,
    from?: Database,
  ) {
    this.wal = new Wal(from?.wal);
    this.timeline = from?.timeline ?? FIRST_TIMELINE;
    this.known = new Map(from?.known);
    this.oldest = from?.oldest ?? 0;
    this.control = from?.control ?? { inProduction: false, cleanShutdown: true, timeline: 1, checkpoint: FIRST_LSN };
  }

  /** As `pg_basebackup` copies it: nothing of the copy is a mark of this node's own. */
  copy(): Database {
    return new Database(this.systemId, this);
  }
}

/** The timelines of which there is a segment file. */
export function segmentTimelines({ wal, control }: Database): Set<number> {
  return new Set([control.timeline, ...wal.from(0).map(({ timeline }) => timeline)]);
}

/** The newest timeline of which there is a segment or a history file, as that tells of itself. */
export function newestTimeline({ timeline, known }: Database): Timeline {
  return known.get(Math.max(timeline.number, ...known.keys())) ?? timeline;
}

/** System identifier of the volume that belongs to another cluster. */
export const FOREIGN = '6999999999999999999';

export const isForeign = ({ systemId }: Database): boolean => systemId === FOREIGN;

/** The data directory of a node: empty, half made, or a database cluster. */
export interface DataDirectory {
  database: Database | null;
  /** Something lies there that is no database cluster, such as a half made one. */
  isUnfinished: boolean;
  /** The control file cannot be read. */
  isDamaged: boolean;
}
