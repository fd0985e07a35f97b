import type { EventOf, HistoryEvent, Server } from '../history';
import { rangesOf } from '../stored';
import { NODES, serverOf } from './stories';

export interface PlainWrite {
  readonly id: number;
  readonly sent: number;
  readonly acknowledged: number;
  readonly by: Server;
}

/** A history of acknowledged writes of one client; `stored` are read at the end from whoever wrote last, or from `reader`. */
export function withIds(
  writes: readonly PlainWrite[],
  stored: readonly number[] = writes.map(({ id }) => id),
  terms: readonly Pick<EventOf<'promoted'>, 'term' | 'node' | 'timeline'>[] = [],
  reader?: number,
): HistoryEvent[] {
  const by =
    reader === undefined
      ? writes.at(-1)?.by
      : writes.find((write) => write.by.address === serverOf(reader, 0).address)?.by;
  const nodes = NODES.map((name, index) => ({ name, host: `10.0.0.${index}`, port: 5432 }));
  return [
    { type: 'run', version: 1, at: 0, run: 'written', startedAt: '', nodes },
    ...writes.map(({ id, sent }) => ({ type: 'sent', at: sent, id, writer: 'client0', direct: null }) as const),
    ...writes.map(({ id, acknowledged, by }) => {
      return { type: 'acknowledged', at: acknowledged, id, by, connectedAt: 0 } as const;
    }),
    ...terms.map((term) => ({ type: 'promoted', at: 100, ...term }) as const),
    { type: 'ended', at: 100 },
    { type: 'stored', at: 100, by: by ?? serverOf(0, 1), ranges: rangesOf(stored.map((id) => [id, 1] as const)) },
  ];
}
