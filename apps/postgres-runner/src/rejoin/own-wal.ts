import { formatLsn, parseLsn, ZERO_LSN, type Lsn } from '@ha-postgres/lsn';

/** A segment file of the WAL: `0000000200000001000000A3` is of timeline 2. */
export interface Segment {
  readonly name: string;
  readonly timeline: number;
  /** Position of its first byte. */
  readonly start: Lsn;
}

/** A stretch of a server's WAL that lies on one timeline. */
export interface Stretch {
  readonly timeline: number;
  readonly from: Lsn;
  /** Null: up to its end. */
  readonly to: Lsn | null;
}

const SEGMENT = /^[0-9A-F]{24}$/;
const HISTORY = /^([0-9A-F]{8})\.history$/;

/** The segment files among the names in `pg_wal`, in the order of positions. */
export function segmentsIn(names: readonly string[], segmentBytes: number): Segment[] {
  const perId = 2n ** 32n / BigInt(segmentBytes);
  const byPosition = (a: Segment, b: Segment) =>
    a.start < b.start ? -1 : a.start > b.start ? 1 : a.timeline - b.timeline;
  return names
    .filter((name) => SEGMENT.test(name))
    .map((name) => {
      const number = BigInt(`0x${name.slice(8, 16)}`) * perId + BigInt(`0x${name.slice(16, 24)}`);
      return { name, timeline: parseInt(name.slice(0, 8), 16), start: (number * BigInt(segmentBytes)) as Lsn };
    })
    .sort(byPosition);
}

/** Name of the segment file that a position lies in. */
export function segmentName(timeline: number, position: Lsn, segmentBytes: number): string {
  const perId = 2n ** 32n / BigInt(segmentBytes);
  const number = position / BigInt(segmentBytes);
  const hex = (value: bigint | number) => value.toString(16).toUpperCase().padStart(8, '0');
  return `${hex(timeline)}${hex(number / perId)}${hex(number % perId)}`;
}

export function segmentStart(position: Lsn, segmentBytes: number): Lsn {
  return (position - (position % BigInt(segmentBytes))) as Lsn;
}

/** Every timeline of which there is a segment or a history file. */
export function timelinesIn(names: readonly string[]): Set<number> {
  return new Set(
    names.flatMap((name) => {
      const digits = SEGMENT.test(name) ? name.slice(0, 8) : HISTORY.exec(name)?.[1];
      return digits === undefined ? [] : [parseInt(digits, 16)];
    }),
  );
}

export function historyName(timeline: number): string {
  return `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
}

/** Where a server's timelines left one of them, by the history file of its newest; null: they did not. */
export function leftAt(timeline: number, history: string): Lsn | null {
  return leftIn(history).find((one) => one.timeline === timeline)?.to ?? null;
}

/** What a history file tells: each earlier timeline, and where it was left. */
export function leftIn(history: string): { timeline: number; to: Lsn }[] {
  return history.split('\n').flatMap((line) => {
    const [, number, lsn] = /^\s*(\d+)\s+([0-9A-F]{1,8}\/[0-9A-F]{1,8})/i.exec(line) ?? [];
    return number === undefined || lsn === undefined ? [] : [{ timeline: Number(number), to: parseLsn(lsn) }];
  });
}

/**
 * The stretches of a server's WAL beyond a position, by its newest timeline and the history file of that (null: it has none,
 * as timeline 1). Each line of such a file names an earlier timeline and where it was left.
 */
export function stretchesBeyond(position: Lsn, timeline: number, history: string | null): Stretch[] {
  const left = leftIn(history ?? '');
  const stretches: Stretch[] = [];
  let from = ZERO_LSN;
  for (const { timeline: earlier, to } of left) {
    stretches.push({ timeline: earlier, from, to });
    from = to;
  }
  stretches.push({ timeline, from, to: null });
  return stretches
    .filter(({ to }) => to === null || to > position)
    .map((stretch) => ({ ...stretch, from: stretch.from > position ? stretch.from : position }));
}

/**
 * A stretch as arguments of `pg_waldump`. Given no file, that learns the size of segments from any that it comes upon first, and
 * gives up where it was never written to.
 * @param written segments of that timeline, in order.
 */
export function placesOf({ timeline, from, to }: Stretch, written: readonly Segment[], segmentBytes: number): string[] {
  const first = segmentStart(from, segmentBytes);
  const last = written.findLast(({ start }) => start >= first && (to === null || start < to))?.start ?? first;
  const isEndInLast = to !== null && to <= last + BigInt(segmentBytes);
  return [
    ...['--start', formatLsn(from), ...(isEndInLast ? ['--end', formatLsn(to)] : [])],
    ...[first, last].map((position) => segmentName(timeline, position, segmentBytes)),
  ];
}
