import type { Rejoined, RunnerPhase, RunnerReport } from '@ha-postgres/cluster-state';
import type { Observation } from '../observation';
import type { Arguments } from './arguments';
import { standbyNames } from '../sync-set';
import { known, runner, stoppedRunner, unknown } from './observations';

/**
 * `runner running|stopped|exiting|unknown [obeys] [armed=TERM] [deadline=+MS] [from=NODE] [clean] [exit=SIGNAL] [written]`: what the runner reports.
 * With `obeys` (or armed) it has acted on the newest instruction.
 */
export function runnerCommand(o: Observation, args: Arguments): Observation {
  const phase = args.name() as RunnerPhase | 'unknown';
  if (phase === 'unknown') return { ...o, runner: unknown('it has not reported') };
  const before = o.runner.known ? o.runner.value : null;
  const armed = armedOf(o, args);
  const isFollowing = args.has('obeys') || armed !== null;
  const obeysIndex = isFollowing ? (o.published?.instructionIndex ?? 0) : (before?.obeysIndex ?? 0);
  const base = phase === 'running' ? runner() : stoppedRunner();
  if (!base.known) return o;
  const report: RunnerReport = {
    ...base.value,
    phase,
    stopped: phase !== 'running' && isFollowing,
    obeysIndex,
    armed,
    receivingFrom: args.text('from') ?? null,
    postgres: { ...base.value.postgres, exit: exitOf(args.text('exit')) },
    data: { ...(before ?? base.value).data, ...cleanOf(args) },
    rejoined: rejoinedOf(args.text('rejoined')),
    ...(args.has('written') ? { synchronousStandbyNames: namesOf(o) } : {}),
    walGone: args.has('walGone') ? 'requested WAL segment 000000010000000000000003 has already been removed' : null,
    error: errorOf(args.text('error')),
  };
  return { ...o, runner: known(report, o.now) };
}

/** `written`: PostgreSQL's configuration names those of the key. */
function namesOf(o: Observation): string {
  const value = o.sync.known ? o.sync.value.value : null;
  return value === null ? '' : standbyNames(value);
}

/** `rejoined=6/rewound`: the data was made to follow that term's Master, and how. */
function rejoinedOf(text: string | undefined): Rejoined | null {
  const [term, how] = text?.split('/') ?? [];
  return how === undefined ? null : { term: Number(term), how: how as Rejoined['how'] };
}

function errorOf(code: string | undefined): RunnerReport['error'] {
  return code === undefined ? null : { code, message: 'test' };
}

function armedOf(o: Observation, args: Arguments): RunnerReport['armed'] {
  const term = args.number('armed');
  const deadline = args.time('deadline') ?? o.now + 2000;
  if (term === undefined) return null;
  return { term, index: o.published?.instructionIndex ?? 0, validUntil: String(BigInt(deadline) * 1_000_000n) };
}

function exitOf(signal: string | undefined): RunnerReport['postgres']['exit'] {
  return signal === undefined ? null : { code: null, signal, at: '1', asked: false };
}

function cleanOf(args: Arguments): Partial<RunnerReport['data']> {
  const checkpointLsn = args.text('checkpoint');
  return args.has('clean') ? { cleanShutdown: true, checkpointLsn: checkpointLsn ?? null } : { cleanShutdown: false };
}
