import { describe, expect, it } from '@jest/globals';
import type { Upstream } from '@ha-postgres/cluster-state';
import { judgeTerm, type SaidOfData } from './upstream-term';

const UPSTREAM: Upstream = { node: 'node1', host: '10.0.0.1', port: 5432, apiPort: 8080, term: 4 };
const SAID: SaidOfData = { node: 'node1', dataTerm: 4, timeline: 7 };

describe('a copy of the upstream', () => {
  it('is of the term that the upstream says of its data', () => {
    expect(judgeTerm(UPSTREAM, SAID, null)).toEqual({ kind: 'this' });
    expect(judgeTerm(UPSTREAM, SAID, 7)).toEqual({ kind: 'this' });
  });

  it('is of another where the upstream has been promoted since', () => {
    expect(judgeTerm(UPSTREAM, { ...SAID, dataTerm: 5, timeline: 8 }, 8)).toEqual({
      kind: 'another',
      why: 'the data of node1 is of term 5, not 4',
    });
  });

  it.each<[string, SaidOfData | null, number | null, string]>([
    ['says nothing', null, null, 'does not say of which term'],
    ['is not who was meant', { ...SAID, node: 'node2' }, null, 'node2 answers'],
    ['has not come to that term yet', { ...SAID, dataTerm: 3 }, null, 'of term 3, not 4'],
    ['spoke before a promotion that the copy shows', SAID, 8, 'began on timeline 8, and node1 is on timeline 7'],
    ['does not know its timeline', { ...SAID, timeline: null }, 7, 'does not say on which timeline'],
  ])('may be of it where whoever answers %s', (_title, said, copied, why) => {
    expect(judgeTerm(UPSTREAM, said, copied)).toMatchObject({ kind: 'wait', why: expect.stringContaining(why) });
  });
});
