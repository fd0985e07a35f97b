import type { RejoinInstruction } from '@ha-postgres/cluster-state';
import type { RejoinMark } from './facts';

/** What a stopped data directory is found to be before it is made to follow the upstream. */
export interface RejoinFacts {
  /** Its WAL beyond the fork: it ends there; holds so many commits that would be lost; or nobody can say. */
  readonly beyond: 'nothing' | 'unknown' | number;
  /** The control file can be read. */
  readonly isUsable: boolean;
  /**
   * It has been on a timeline whose number the upstream's history has used as well: two nodes promoted apart from each other.
   * Neither PostgreSQL nor pg_rewind can tell that from its own.
   */
  readonly hasTimelineOf: boolean;
}

/** `ancestor`: it follows as it is. `refused`: commits would be lost. `replaced`: it is rewound, or copied anew. */
export type RejoinChoice = 'ancestor' | 'refused' | 'replaced';

/** What lies in the directory is what this node itself wrote or replayed, not what an earlier try brought. */
export function isOwnData(stage: RejoinMark['stage'] | undefined): boolean {
  return stage !== 'unfinished' && stage !== 'rewound' && stage !== 'copied';
}

export function chooseRejoin(
  { mayLose, isStray }: Pick<RejoinInstruction, 'mayLose' | 'isStray'>,
  { beyond, isUsable, hasTimelineOf }: RejoinFacts,
): RejoinChoice {
  if (beyond === 'nothing') return isUsable && !hasTimelineOf && isStray !== true ? 'ancestor' : 'replaced';
  return beyond !== 0 && !mayLose ? 'refused' : 'replaced';
}

/** Why only a base backup helps; null: it can be rewound. */
export function whyNotRewound(
  { timelines }: Pick<RejoinInstruction, 'timelines'>,
  { isUsable, hasTimelineOf }: Pick<RejoinFacts, 'isUsable' | 'hasTimelineOf'>,
): string | null {
  if (!isUsable) return 'the control file cannot be read';
  if (timelines.length === 0) return "the upstream's timeline is not known";
  return hasTimelineOf ? 'it has been on a timeline of the same number as the upstream' : null;
}
