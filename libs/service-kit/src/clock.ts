import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { errors } from './errors';

/**
 * CLOCK_MONOTONIC in milliseconds: comparable between all processes of one boot of one machine, meaningless elsewhere.
 * As a double it is exact to better than a microsecond for the first 285 years after boot.
 */
export type Millis = number;

/** Now, in nanoseconds of CLOCK_MONOTONIC. */
export function monotonicNanos(): bigint {
  return process.hrtime.bigint();
}

/** Now, in milliseconds of CLOCK_MONOTONIC. */
export function monotonicNow(): Millis {
  return Number(monotonicNanos()) / 1e6;
}

/** A moment as deadlines travel on the wire: whole nanoseconds of CLOCK_MONOTONIC in decimal digits. */
export function millisToNanosText(moment: Millis): string {
  if (!Number.isFinite(moment) || moment < 0) throw new RangeError(`not a moment of the monotonic clock: ${moment}`);
  return BigInt(Math.round(moment * 1e6)).toString();
}

/**
 * Reads a moment as deadlines travel on the wire.
 * @throws RangeError if `text` is not a decimal number of nanoseconds; the message names it.
 */
export function nanosTextToMillis(text: string): Millis {
  if (!/^\d{1,20}$/.test(text)) throw new RangeError(`not a number of nanoseconds: ${JSON.stringify(text)}`);
  return Number(text) / 1e6;
}

/** A timer that can be taken back; cancelling twice, or after it fired, does nothing. */
export interface Timer {
  cancel(): void;
}

/** Time as a value, so that the same code runs on this machine and on a simulated one. */
export interface Clock {
  /** Monotonic time, in milliseconds. */
  now(): Millis;
  /** Calls `fn` once, not before `ms` milliseconds from now. */
  schedule(ms: number, fn: () => void): Timer;
}

/** The time of this machine. */
export const systemClock: Clock = {
  now: monotonicNow,
  schedule(ms, fn) {
    const timer = setTimeout(fn, Math.max(0, ms));
    return { cancel: () => clearTimeout(timer) };
  },
};

let knownBootId: string | undefined;

/**
 * The identity of this boot of the machine: deadlines are compared only if it is the same.
 * @throws CodedError HAPG_BOOT_ID_UNKNOWN where the system tells none.
 */
export function bootId(): string {
  return (knownBootId ??= readBootId());
}

function readBootId(): string {
  try {
    const text =
      process.platform === 'darwin'
        ? execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8', timeout: 5_000 })
        : readFileSync('/proc/sys/kernel/random/boot_id', 'utf8');
    if (text.trim() === '') throw new Error('the system answered an empty boot id');
    return text.trim();
  } catch (cause) {
    throw errors.HAPG_BOOT_ID_UNKNOWN(`no boot id on ${process.platform}`, { cause });
  }
}
