import type { MasterState, ServerState } from './server-state';
import { WalStall } from './wal-stall';

const LIMIT_MS = 10_000;

const master = (flushed: bigint, walWaiters: number, written = flushed): ServerState =>
  ({ inRecovery: false, flushedLsn: flushed, writtenLsn: written, walWaiters }) as MasterState;

/** What a series of looks, a second apart, comes to. */
function after(looks: readonly ServerState[]): boolean {
  const stall = new WalStall(LIMIT_MS);
  looks.forEach((state, second) => stall.look(state, second * 1_000));
  return stall.isStalled;
}

describe('the disk takes no WAL', () => {
  it('when it stands still for the limit, and somebody waits at every look', () => {
    const looks = Array.from({ length: 11 }, () => master(5n, 1));
    expect(after(looks)).toBe(true);
    expect(after(looks.slice(1))).toBe(false);
  });

  it('not where nobody waits, however long nothing is written', () => {
    expect(after(Array.from({ length: 30 }, () => master(5n, 0)))).toBe(false);
  });

  it('not where it is slow: some bytes were written or flushed in between', () => {
    const flushes = Array.from({ length: 30 }, (_, second) => master(BigInt(Math.floor(second / 9)), 4, 100n));
    expect(after(flushes)).toBe(false);
    const writes = Array.from({ length: 30 }, (_, second) => master(0n, 4, BigInt(Math.floor(second / 9))));
    expect(after(writes)).toBe(false);
  });

  it('counts anew from a look at which nobody waited', () => {
    const waiting = Array.from({ length: 8 }, () => master(5n, 1));
    expect(after([...waiting, master(5n, 0), ...waiting])).toBe(false);
  });

  it('not on a Replica, and not of the server before this one', () => {
    const stall = new WalStall(LIMIT_MS);
    stall.look(master(5n, 1), 0);
    stall.look(master(5n, 1), LIMIT_MS);
    expect([stall.isStalled, stall.standsForMs]).toEqual([true, LIMIT_MS]);
    stall.forget();
    expect([stall.isStalled, stall.standsForMs]).toEqual([false, 0]);
    stall.look(master(5n, 1), LIMIT_MS);
    stall.look({ inRecovery: true } as ServerState, 2 * LIMIT_MS);
    expect(stall.isStalled).toBe(false);
  });
});
