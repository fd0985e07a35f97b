/// <reference types="node" />
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseLsn } from '@ha-postgres/lsn';
import type { Action } from './actions';
import { commonHistory } from './ancestry';
import { RULE_NAMES, decide } from './decide';
import { isStopped } from './ending-rules';
import type { Observation } from './observation';
import type { Decision, Memory } from './outcome';
import { anySituation } from './testing/arbitrary';
import { mayVote } from './peers';
import { covers, rulesOf, standbyNames } from './sync-set';
import { isAsync, syncOf } from './sync-view';
import { lastMasterSeen, takeoverOutlook } from './takeover';
import { countVotes } from './vote-count';

/** The seed is fixed: a failure is the same failure again, and the counts below are the same counts. */
const RUNS = { numRuns: 36_000, seed: 20_261_123 };
/** A rule that fired less often has not been tried. */
const FIRED_MIN = 15;

interface Case {
  readonly o: Observation;
  readonly memory: Memory;
  readonly decision: Decision;
}

const cases: readonly Case[] = fc
  .sample(anySituation, RUNS)
  .map(({ o, memory }) => ({ o, memory, decision: decide(o, memory) }));

function having(type: Action['type']): readonly Case[] {
  return cases.filter(({ decision }) => decision.actions.some((action) => action.type === type));
}

function isStoppedOrRejoins({ instruction }: Decision): boolean {
  return instruction !== null && ['stop', 'blocked', 'rejoin'].includes(instruction.kind);
}

/** The cases that break a law; and a law that nothing came near to proves nothing. */
function breaking(those: readonly Case[], law: (one: Case) => boolean): readonly Case[] {
  expect(those.length).toBeGreaterThan(FIRED_MIN);
  return those.filter((one) => !law(one)).slice(0, 1);
}

/** Its data is of the very term that runs. */
function isNewestData(o: Observation): boolean {
  return lastMasterSeen(o)?.term === o.disk.dataTerm;
}

/** A clean stop may become a hard one, and never the other way round. */
function isSameEnding(before: Memory['ending'], after: Memory['ending']): boolean {
  if (before === null || after === null) return before === after;
  return after === before || (before.mode === 'fast' && isDeepStrictEqual(after, { ...before, mode: 'immediate' }));
}

describe('decide', () => {
  it('answers every situation, and every rule is reached', () => {
    expect(cases).toHaveLength(RUNS.numRuns);
    const fired = new Map<string, number>();
    for (const { decision } of cases) fired.set(decision.rule, (fired.get(decision.rule) ?? 0) + 1);
    const seldom = RULE_NAMES.filter((rule) => (fired.get(rule) ?? 0) < FIRED_MIN);
    expect(seldom.map((rule) => `${rule}: ${fired.get(rule) ?? 0}`)).toEqual([]);
  });

  it('changes neither what it is given nor its mind', () => {
    const frozen = <T extends object>(value: T): T => Object.freeze(value);
    const law = ({ o, memory, decision }: Case) => {
      const again = decide(frozen(o), frozen(memory));
      return again.rule === decision.rule && again.actions.length === decision.actions.length;
    };
    expect(breaking(cases.slice(0, 2000), law)).toEqual([]);
  });

  it('never promotes without a hold whose lease is not about to end', () => {
    const law = ({ o }: Case) => o.hold !== null && !o.hold.lost && o.now < o.hold.endsAt - o.policy.fenceTimeMs;
    expect(breaking(having('promote'), law)).toEqual([]);
  });

  it("never promotes before the predecessor's lease is over", () => {
    const law = ({ o }: Case) => o.now >= (o.hold?.waitUntil ?? Infinity);
    expect(breaking(having('promote'), law)).toEqual([]);
  });

  it('never promotes before the runner fences by a deadline of this very hold', () => {
    const law = ({ o }: Case) => {
      const armed = o.runner.known ? o.runner.value.armed : null;
      return armed?.term === o.hold?.term && Number(armed?.validUntil) / 1e6 > o.now;
    };
    expect(breaking(having('promote'), law)).toEqual([]);
  });

  it('never promotes without votes, unless it already has or no Master ever ran', () => {
    const law = ({ o }: Case) =>
      o.hold?.last === null ||
      o.disk.ledTerm === o.hold?.term ||
      (o.votes?.term === o.hold?.term && o.votes?.complete === true);
    expect(breaking(having('promote'), law)).toEqual([]);
  });

  it('never promotes where an acknowledged commit may be missing, unless it already has or no Master ever ran', () => {
    const law = ({ o }: Case) => {
      if (o.hold === null) return false;
      return o.hold.last === null || o.disk.ledTerm === o.hold.term || countVotes(o, o.hold).may;
    };
    const judged = having('promote');
    expect(judged.filter(({ o }) => !isAsync(o) && o.disk.ledTerm !== o.hold?.term).length).toBeGreaterThan(FIRED_MIN);
    expect(breaking(judged, law)).toEqual([]);
  });

  it('never promotes a PostgreSQL that does not show the synchronous rule, or under a rule of another term', () => {
    const law = ({ o }: Case) => {
      const value = syncOf(o);
      if (value === null) return true;
      if (value === undefined) return false;
      const isOwn = value.term === o.hold?.term || o.disk.ledTerm === o.hold?.term;
      return isOwn && (o.hold.last === null || o.postgres.synchronousStandbyNames === standbyNames(value));
    };
    expect(breaking(having('promote'), law)).toEqual([]);
  });

  it('never writes a synchronous rule that does not cover what the one before covered, but to end a change', () => {
    const writes = having('writeSync').flatMap((one) =>
      one.decision.actions.flatMap((action) => (action.type === 'writeSync' ? [{ ...one, value: action.value }] : [])),
    );
    const law = (one: Case) => {
      const { value } = one as (typeof writes)[number];
      const before = syncOf(one.o);
      if (before === undefined || (before?.previous != null && value.previous === null)) return true;
      return rulesOf(before).every((rule) => rulesOf(value).some((cover) => covers(cover, rule)));
    };
    expect(breaking(writes, law)).toEqual([]);
    expect(
      breaking(writes, (one) => (one as (typeof writes)[number]).value.version > one.o.disk.highestSyncVersion),
    ).toEqual([]);
  });

  it.each(['release', 'endHold'] as const)(
    'never does %s before PostgreSQL is stopped, if it may have promoted',
    (type) => {
      const law = ({ o: { published, runner, ownKillAt }, memory }: Case) => {
        if (memory.ending?.stops === false) return true;
        if (published?.instruction.kind !== 'stop') return false;
        const report = runner.known && runner.value.stopped ? runner.value : null;
        const isSaid =
          report !== null && (report.obeysIndex >= published.instructionIndex || report.phase === 'exiting');
        return isSaid || (ownKillAt !== null && ownKillAt >= published.since);
      };
      expect(breaking(having(type), law)).toEqual([]);
    },
  );

  it('never lets PostgreSQL run on at the end of a hold in which it may have been promoted', () => {
    const beginnings = cases.filter(
      ({ memory, decision }) => memory.ending === null && decision.memory.ending?.stops === false,
    );
    const law = ({ o }: Case) =>
      o.hold?.phase === 'waiting' &&
      o.disk.ledTerm !== o.hold.term &&
      o.hold.last !== null &&
      o.postgres.inRecovery !== false;
    expect(breaking(beginnings, law)).toEqual([]);
  });

  it('never says released before it has waited out its predecessor', () => {
    const said = having('release').filter(({ decision }) =>
      decision.actions.some((action) => action.type === 'release' && action.released),
    );
    const law = ({ o }: Case) => o.now >= (o.hold?.waitUntil ?? Infinity);
    expect(breaking(said, law)).toEqual([]);
  });

  it('never takes an ending back while the hold lasts, and lets PostgreSQL run no more', () => {
    const ending = cases.filter(({ o, memory }) => o.hold !== null && memory.ending !== null);
    const law = ({ memory, decision }: Case) =>
      isSameEnding(memory.ending, decision.memory.ending) &&
      decision.instruction?.kind === (memory.ending?.stops === false ? 'follow' : 'stop') &&
      decision.role === 'Replica';
    expect(breaking(ending, law)).toEqual([]);
  });

  it('never acquires with a hold, while another acquire is out, against its promise, or paused', () => {
    const law = ({ o }: Case) => o.hold === null && !o.acquiring && !o.resuming && o.now >= o.disk.promisedUntil;
    expect(breaking(having('acquire'), law)).toEqual([]);
  });

  it('never acquires without the ability, but for the creator whose cluster no Master ever ran in', () => {
    const able = having('acquire').filter(({ decision }) => decision.rule !== 'creatorTakesItsLockAgain');
    expect(breaking(able, ({ o }) => takeoverOutlook(o).able)).toEqual([]);
  });

  it('never acquires a lock whose holder may still have a lease, and names the very value it judged', () => {
    const law = ({ o, decision }: Case) => {
      const entry = o.master.known ? o.master.value.entry : null;
      const acquire = decision.actions.find((action) => action.type === 'acquire');
      if (entry === null || acquire === undefined) return false;
      const isOver =
        (entry.confirmedSentAt ?? 0) > entry.firstSeenAt + o.policy.leaseDurationMs + o.policy.driftMarginMs;
      const isHigher = acquire.term > Math.max(entry.value?.term ?? 0, o.disk.highestTerm, o.votedTerm);
      return (entry.session === null || isOver) && acquire.decidedOn === entry.modifyIndex && isHigher;
    };
    expect(breaking(having('acquire'), law)).toEqual([]);
  });

  it('never has the role of Master without a hold whose fence has not come', () => {
    const masters = cases.filter(({ decision }) => decision.role === 'Master');
    const law = ({ o, decision }: Case) =>
      o.hold !== null &&
      !o.hold.lost &&
      o.now < o.hold.endsAt - o.policy.fenceTimeMs &&
      decision.instruction?.kind === 'lead';
    expect(breaking(masters, law)).toEqual([]);
  });

  it('never lets the PostgreSQL of a DeadMaster run but on data that is made to follow, or before it is emptied', () => {
    const deadMasters = cases.filter(({ o, memory }) => o.disk.deadMaster && o.hold === null && memory.ending === null);
    const law = ({ o, decision }: Case) => {
      if (decision.role === null) return o.published === null && decision.instruction === null;
      if (decision.role !== 'DeadMaster') return false;
      const isEmpty = o.runner.known && o.runner.value.data.state === 'empty';
      return isEmpty ? ['wait', 'stop'].includes(decision.instruction?.kind ?? '') : isStoppedOrRejoins(decision);
    };
    expect(breaking(deadMasters, law)).toEqual([]);
  });

  it('never follows, acquires or is ready to vote with data that is being made to follow', () => {
    const those = cases.filter(
      ({ o, memory }) =>
        o.disk.rejoining !== null &&
        o.hold === null &&
        memory.ending === null &&
        !(o.runner.known && o.runner.value.data.state === 'empty'),
    );
    const law = ({ o, decision }: Case) =>
      (decision.instruction === null || isStoppedOrRejoins(decision)) &&
      !decision.actions.some(({ type }) => type === 'acquire') &&
      !takeoverOutlook(o).able &&
      !mayVote(o, { term: 100, candidate: 'a' }).agree;
    expect(breaking(those, law)).toEqual([]);
  });

  it('never gives commits up without leave, nor looks away where data of another term might hold some', () => {
    // Where it has rejoined already, what it was told stays said until that is on disk.
    const those = cases.filter(
      ({ decision }) => decision.instruction?.kind === 'rejoin' && decision.rule === 'nodeRejoinsTheRunningMaster',
    );
    const law = ({ o, decision }: Case) => {
      const instruction = decision.instruction;
      if (instruction?.kind !== 'rejoin') return false;
      const history = o.history.known ? o.history.value : null;
      const { covered } = commonHistory(instruction.upstream.term, history, o.disk.dataTerm);
      const isAllowed = o.policy.rejoin === 'always' || o.rejoinAllowed || covered;
      const isKnownToBeCopied =
        o.disk.dataTerm === instruction.upstream.term ||
        o.published?.instruction.kind === 'rejoin' ||
        (o.runner.known && (o.runner.value.rejoined ?? null) !== null);
      return (!instruction.mayLose || isAllowed) && (instruction.how === 'examine' || isKnownToBeCopied);
    };
    expect(breaking(those, law)).toEqual([]);
  });

  it('never says that data has rejoined before it is shown to be an ancestor, or streams from that very Master', () => {
    const law = ({ o, decision }: Case) => {
      const rejoined = o.runner.known ? o.runner.value.rejoined : null;
      const term = decision.actions.find((action) => action.type === 'finishRejoin')?.term;
      const isProven = rejoined?.how === 'ancestor' || o.postgres.receiver?.streaming === true;
      return rejoined?.term === term && isProven;
    };
    expect(breaking(having('finishRejoin'), law)).toEqual([]);
  });

  it('never begins to rejoin while paused', () => {
    const those = cases.filter(({ o, decision }) => o.paused && decision.instruction?.kind === 'rejoin');
    expect(breaking(those, ({ o }) => o.published?.instruction.kind === 'rejoin')).toEqual([]);
  });

  it('never receives WAL of a term that is not on disk as the term of its data', () => {
    const following = cases.filter(
      ({ decision }) =>
        ['replicaFollowsTheRunningMaster', 'emptyNodeClonesTheMaster'].includes(decision.rule) &&
        decision.instruction?.kind === 'follow',
    );
    const law = ({ o, decision }: Case) =>
      decision.instruction?.kind === 'follow' && decision.instruction.upstream?.term === o.disk.dataTerm;
    expect(breaking(following, law)).toEqual([]);
  });

  it('never starts what is already under way', () => {
    const busy = cases.filter(({ o }) => o.inFlight.size > 0);
    const law = ({ o, decision }: Case) => decision.actions.every((action) => !o.inFlight.has(action.type));
    expect(breaking(busy, law)).toEqual([]);
  });

  it('never asks for a clean stop longer than the lease lasts that stood when it began', () => {
    const clean = cases.filter(
      ({ decision }) => decision.instruction?.kind === 'stop' && decision.memory.ending?.mode === 'fast',
    );
    const law = ({ o, decision: { memory } }: Case) =>
      memory.ending !== null && o.now < memory.ending.cleanUntil && !o.hold?.lost && !o.clockJumped;
    const running = clean.filter(({ o }) => o.hold !== null && !isStopped(o));
    expect(breaking(running, law)).toEqual([]);
  });

  it('never drains for a switchover without a successor that streams and could take over, nor against a pause', () => {
    const fresh = having('drain').filter(({ decision }) => decision.rule === 'masterChoosesItsSuccessor');
    const law = ({ o, decision }: Case) => {
      const drain = decision.actions.find((action) => action.type === 'drain');
      const target = o.switchover?.look?.targets.find(({ node }) => node === drain?.successor);
      return target?.able === true && target.streaming && !o.paused && target.node !== o.self.node;
    };
    expect(breaking(fresh, law)).toEqual([]);
  });

  it('never hands over before its load balancers had their time to hold clients, nor for a switchover of another hold', () => {
    const law = ({ o }: Case) =>
      o.hold?.phase === 'draining' &&
      o.disk.switchover?.term === o.hold.term &&
      o.switchover?.drainedFor === o.disk.switchover.id;
    const begins = cases.filter(({ decision }) => decision.rule === 'masterStopsForASwitchover');
    expect(breaking(begins, law)).toEqual([]);
  });

  it('never lets a former Master follow whose WAL may reach beyond the fork of the new history', () => {
    const law = ({ o }: Case) => {
      const { cleanStop, ledTerm, dataTerm } = o.disk;
      if (ledTerm === null || cleanStop?.term !== ledTerm) return false;
      const forks = o.history.known ? o.history.value.promotions.filter(({ term }) => term > dataTerm) : [];
      return forks.some(({ forkLsn }) => cleanStop.lsn < parseLsn(forkLsn)) || isNewestData(o);
    };
    expect(breaking(having('forgetLedTerm'), law)).toEqual([]);
  });
});
