import fc from 'fast-check';
import { Ledger } from './ledger';

const acknowledged = (...times: readonly number[]) => {
  const ledger = new Ledger();
  for (const at of times) ledger.acknowledge({ id: ledger.attempt(), at, connectedAt: 0 });
  return ledger;
};

describe('the write outage', () => {
  it('is the longest pause between acknowledgements that reaches past the fault', () => {
    expect(acknowledged(0, 50, 60, 500, 510).longestGapAfter(55)).toBe(440);
  });

  it('does not count pauses that were over before the fault', () => {
    expect(acknowledged(0, 900, 910, 920).longestGapAfter(905)).toBe(10);
  });

  it('is unknown while nothing was acknowledged after the fault', () => {
    expect(acknowledged(0, 10).longestGapAfter(20)).toBeNull();
  });

  it('is never shorter than any single pause after the fault', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000), { minLength: 2 }), fc.nat(10_000), (times, fault) => {
        const sorted = [...times].sort((a, b) => a - b);
        const gap = acknowledged(...sorted).longestGapAfter(fault);
        const [last, beforeLast] = [sorted.at(-1) ?? 0, sorted.at(-2) ?? 0];
        expect(gap === null).toBe(last <= fault);
        if (gap !== null) expect(gap).toBeGreaterThanOrEqual(last - beforeLast);
      }),
    );
  });
});

describe('the count of inserts', () => {
  it('keeps failed and ambiguous ones apart from acknowledged ones', () => {
    const ledger = acknowledged(1, 2);
    ledger.attempt();
    ledger.fail(false);
    ledger.attempt();
    ledger.fail(true);
    expect([ledger.attempts, ledger.failed, ledger.ambiguous, ledger.acknowledgements.length]).toEqual([4, 2, 1, 2]);
  });

  it('calls an acknowledged id lost when it is not found, and no other', () => {
    const ledger = acknowledged(1, 2, 3);
    ledger.attempt();
    ledger.fail(true);
    expect(ledger.missingFrom(new Set([1, 3]))).toEqual([2]);
  });

  it('finds the first acknowledgement on a connection that is younger than the fault', () => {
    const ledger = new Ledger();
    ledger.acknowledge({ id: 1, at: 10, connectedAt: 0 });
    ledger.acknowledge({ id: 2, at: 21, connectedAt: 0 });
    ledger.acknowledge({ id: 3, at: 30, connectedAt: 25 });
    expect(ledger.firstOnConnectionAfter(20)?.id).toBe(3);
  });
});
