import { describe, expect, it } from '@jest/globals';
import type { HistoryEntry } from '@ha-postgres/cluster-state';
import { commonHistory } from './ancestry';
import type { LedTerm } from './observation';
import { untoldPromotions } from './untold';

function promotion(term: number, parentTerm: number, timeline: number, forkLsn: string): HistoryEntry {
  return { term, parentTerm, timeline, forkLsn, node: 'b', from: 'a', why: 'test', at: '', tookMs: 9 };
}

const TOLD = [promotion(5, 4, 2, '0/400')];
const tell = (led: readonly LedTerm[], entry: HistoryEntry, file: string) =>
  untoldPromotions({ promotions: TOLD }, led, entry, file).map(
    (one) => `${one.term}<${one.parentTerm}@${one.forkLsn} on ${one.timeline}`,
  );

describe('promotions that their Master could not tell', () => {
  const file = '1\t0/400\tno reason\n2\t0/500\tno reason\n3\t0/600\tno reason\n';

  it('are told by its next one, each from where its timeline began', () => {
    expect(tell([{ term: 6, parentTerm: 5 }], promotion(7, 6, 4, '0/600'), file)).toEqual(['6<5@0/500 on 3']);
    const longer = `${file}4\t0/700\tno reason\n`;
    const led = [
      { term: 6, parentTerm: 5 },
      { term: 7, parentTerm: 6 },
    ];
    expect(tell(led, promotion(9, 7, 5, '0/700'), longer)).toEqual(['6<5@0/500 on 3', '7<6@0/600 on 4']);
  });

  it('count from the first where one of them had not come to a timeline of its own', () => {
    const led = [
      { term: 6, parentTerm: 5 },
      { term: 7, parentTerm: 6 },
    ];
    expect(tell(led, promotion(9, 7, 4, '0/600'), file)).toEqual(['6<5@0/500 on 4', '7<6@0/500 on 4']);
  });

  it('begin where a timeline was left that is older than that of their parent, if nothing of that had come', () => {
    const own = '1\t0/400\tno reason\n2\t0/500\tno reason\n';
    const entry = promotion(7, 6, 3, '0/500');
    expect(tell([{ term: 6, parentTerm: 5, timeline: 1 }], entry, own)).toEqual(['6<5@0/400 on 2']);
    expect(tell([{ term: 6, parentTerm: 5, timeline: 2 }], entry, own)).toEqual(['6<5@0/500 on 3']);
  });

  it('are none where all is told, and cannot be told where it is not known what they grew from', () => {
    expect(tell([], promotion(6, 5, 3, '0/500'), file)).toEqual([]);
    expect(tell([], promotion(7, 6, 4, '0/600'), file)).toEqual([]);
    expect(tell([{ term: 6, parentTerm: 3 }], promotion(7, 6, 4, '0/600'), file)).toEqual([]);
  });

  it('make a chain again, by which others show what they have in common', () => {
    const entry = promotion(7, 6, 4, '0/600');
    const untold = untoldPromotions({ promotions: TOLD }, [{ term: 6, parentTerm: 5 }], entry, file);
    const { forkLsn, timelines } = commonHistory(7, { promotions: [...TOLD, ...untold, entry] }, 5);
    expect([forkLsn, timelines]).toEqual([0x500n, [3, 4]]);
  });
});

describe('a node that promoted, could not tell it, and was succeeded by one that never heard of it', () => {
  const promotions = [...TOLD, promotion(7, 5, 3, '0/480')];

  it('has in common with that what it had before, and its own timelines tell where it left it', () => {
    const common = commonHistory(7, { promotions }, 6, [{ term: 6, parentTerm: 5 }]);
    expect(common).toMatchObject({ forkLsn: 0x480n, timelines: [3], leftTimeline: 2 });
  });

  it('has nothing of a term that it had only recorded: the timeline of that number is one of its own', () => {
    const told = [promotion(4, 3, 1, '0/300'), ...promotions];
    const common = commonHistory(7, { promotions: told }, 6, [{ term: 6, parentTerm: 5, timeline: 1 }]);
    expect(common).toMatchObject({ forkLsn: 0x400n, timelines: [2, 3], leftTimeline: 1 });
    // Its own entry, if it could say so, shows it to everybody.
    const itself = commonHistory(7, { promotions: [...told, promotion(6, 5, 2, '0/400')] }, 6);
    expect(itself).toMatchObject({ forkLsn: 0x400n, timelines: [2, 3], leftTimeline: 1 });
    const knowing = commonHistory(7, { promotions: told }, 6, [{ term: 6, parentTerm: 5, timeline: 2 }]);
    expect(knowing).toMatchObject({ forkLsn: 0x480n, timelines: [3], leftTimeline: 2 });
  });

  it('may give up what no promotion since the term of both has left out, whatever came before', () => {
    const told = [promotion(4, 3, 1, '0/300'), ...TOLD, { ...promotion(7, 5, 3, '0/480'), covered: true }];
    const common = commonHistory(7, { promotions: told }, 6, [{ term: 6, parentTerm: 5, timeline: 1 }]);
    expect(common).toMatchObject({ timelines: [2, 3], covered: true });
  });

  it('has nothing in common that is known, if it has forgotten what its term grew from', () => {
    expect(commonHistory(7, { promotions }, 6).forkLsn).toBeNull();
  });
});
