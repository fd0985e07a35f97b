import type { Role } from '@ha-postgres/cluster-state';
import type { Snapshot } from './subscription';

/** What an asker wants to send traffic to. */
export interface Wanted {
  readonly role?: Exclude<Role, 'DeadMaster'>;
  readonly lagBytesMax?: number;
}

/** This machine's boot, and now on its monotonic clock. */
export interface Moment {
  readonly bootId: string;
  readonly nanos: bigint;
}

export interface Readiness {
  readonly ready: boolean;
  readonly why: string;
}

type State = NonNullable<Snapshot['state']>;

/** Why the state may not be believed at this moment; undefined if it may. */
export function whyStale({ state }: Snapshot, now: Moment): string | undefined {
  if (state === null) return 'db-controller has not told its state yet';
  if (state.bootId !== now.bootId) return `the state is of another boot (${state.bootId})`;
  const lateBy = now.nanos - BigInt(state.validUntil);
  return lateBy >= 0n ? `the state ended to be valid ${lateBy / 1_000_000n} ms ago` : undefined;
}

function whyTooFarBehind(state: State, lagBytesMax: number | undefined): string | undefined {
  // A Master trails nobody.
  if (lagBytesMax === undefined || state.role === 'Master') return undefined;
  if (state.lagBytes === null) return 'the lag is not known';
  return state.lagBytes > lagBytesMax ? `lag ${state.lagBytes} bytes > ${lagBytesMax} bytes` : undefined;
}

/** Only who asks for a Replica means to read here: a probe of the node's health does not. */
function whyNoReads(state: State, wanted: Wanted): string | undefined {
  return wanted.role === 'Replica' ? (state.whyNoReads ?? undefined) : undefined;
}

function whyNotReady(state: State, wanted: Wanted): string | undefined {
  if (state.role === null) return 'the role is not decided';
  if (state.role === 'DeadMaster') return 'a DeadMaster gets no traffic';
  if (!state.ready) return state.readyWhy;
  if (wanted.role !== undefined && wanted.role !== state.role) return `the role is ${state.role}`;
  return whyNoReads(state, wanted) ?? whyTooFarBehind(state, wanted.lagBytesMax);
}

/** Whether traffic as `wanted` may be sent here now, and why (not). */
export function answerReadiness(snapshot: Snapshot, wanted: Wanted, now: Moment): Readiness {
  const { state } = snapshot;
  const why = whyStale(snapshot, now) ?? (state === null ? undefined : whyNotReady(state, wanted));
  return why === undefined ? { ready: true, why: state?.readyWhy ?? '' } : { ready: false, why };
}
