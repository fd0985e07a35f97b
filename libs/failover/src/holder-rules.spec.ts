import { describe, expect, it } from '@jest/globals';
import { decide } from './decide';
import type { Hold } from './observation';
import { NOW, POLICY, hold, replica } from './testing/observations';

const AT_LEAST = { ...POLICY, promoteTimeoutMs: 1000 };

/** A holder that took the lock so long ago, and whose voters are slow. */
function ruleAfter(heldMs: number, change: Partial<Hold> = {}): string {
  const own = hold({ acquiredAt: NOW - heldMs, ...change });
  const votes = { term: own.term, startedAt: NOW - heldMs, complete: false, answers: [] };
  return decide(replica({ hold: own, policy: AT_LEAST, votes })).rule;
}

describe('the time that a promotion may take', () => {
  it('begins when the time for votes is over: slow voters would be asked for ever, in one term after the other', () => {
    expect(ruleAfter(2900)).not.toBe('holderGivesUpWhatTakesTooLong');
    expect(ruleAfter(3100)).toBe('holderGivesUpWhatTakesTooLong');
  });

  it('begins at once where nobody votes, as in a new cluster', () => {
    expect(ruleAfter(1100, { last: null, predecessor: null })).toBe('holderGivesUpWhatTakesTooLong');
  });
});
