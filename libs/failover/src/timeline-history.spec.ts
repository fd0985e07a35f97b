import { describe, expect, it } from '@jest/globals';
import type { HistoryEntry } from '@ha-postgres/cluster-state';
import { forkFrom, leftIn } from './timeline-history';

const FILE = '1\t0/5000000\tno recovery target specified\n# a comment\n2\t0/6000000\tno recovery target specified\n';

const promotion = (timeline: number): HistoryEntry => ({
  term: 5,
  parentTerm: 0,
  timeline,
  forkLsn: '0/0',
  node: 'a',
  from: null,
  why: '',
  at: '',
  tookMs: 1,
});

describe('a history file of PostgreSQL', () => {
  it('tells which timeline was left where, the oldest first', () => {
    expect(leftIn(FILE)).toEqual([
      { timeline: 1, at: '0/5000000' },
      { timeline: 2, at: '0/6000000' },
    ]);
    expect(leftIn('')).toEqual([]);
  });
});

describe('where a new history leaves that of its parent', () => {
  it('is where the parent’s timeline was left first, though a second recovery in the same hold ended later', () => {
    expect(forkFrom('0/6000000', promotion(1), FILE)).toBe('0/5000000');
  });

  it('is where an older timeline was left, if nothing of the parent’s had come: the later one of that number is its own', () => {
    expect(forkFrom('0/7000000', promotion(2), FILE, 1)).toBe('0/5000000');
    expect(forkFrom('0/7000000', promotion(2), FILE, 2)).toBe('0/6000000');
  });

  it('is where recovery ended if the parent’s timeline was the last one', () => {
    expect(forkFrom('0/6000000', promotion(2), FILE)).toBe('0/6000000');
  });

  it('is where recovery ended if the file tells nothing of the parent, or tells something later', () => {
    expect(forkFrom('0/6000000', undefined, FILE)).toBe('0/6000000');
    expect(forkFrom('0/6000000', promotion(7), FILE)).toBe('0/6000000');
    expect(forkFrom('0/4000000', promotion(1), FILE)).toBe('0/4000000');
    expect(forkFrom('0/4000000', promotion(1), '')).toBe('0/4000000');
  });
});
