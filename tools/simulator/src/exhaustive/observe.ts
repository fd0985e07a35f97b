import type { Observation, Published as PublishedSight } from '@ha-postgres/failover';
import { parseLsn } from '@ha-postgres/lsn';
import { diskOf, leaseRecordOf } from './memory';
import { instructionOf, reportOf } from './runner';
import { NAMES, type Controller, type Hold, type Node, type World } from './state';
import { NOW, TICK_MS, policyOf, toMillis } from './times';
import { LSN, SYSTEM_ID, addressOf, lastMasterOf, masterValueOf } from './values';
import type { Work } from './work';

/**
 * What a node's controller sees, as `observe()` of db-controller puts it together. Constant, and so left out of what is explored:
 * the data (all nodes have the same), bootstrap, synchronous rules, slots, switchovers, pauses and rejoining.
 */
export function observationOf(work: Work): Observation {
  const { name, node, world } = work;
  const { controller } = node;
  if (controller === null) throw new Error(`the controller of ${name} does not run`);
  const { master, members, published } = controller;
  const disk = diskOf(name, node);
  const isUp = node.runner.postgres !== 'stopped';
  return {
    ...{ now: NOW, startedAt: NOW - 1000 * TICK_MS, chance: 0, self: addressOf(name) },
    policy: policyOf(work.bounds.candidates.includes(name), work.bounds.secondFence),
    master:
      master === null
        ? { known: false, why: 'not read yet' }
        : { known: true, seenAt: NOW, value: { entry: entryOf(master) } },
    members:
      members === null
        ? { known: false, why: 'not read yet' }
        : {
            known: true,
            seenAt: NOW,
            value: { members: members.list.map(addressOf), modifyIndex: members.index },
          },
    initialize: {
      known: true,
      seenAt: NOW,
      value: { value: { node: 'a', systemId: SYSTEM_ID }, modifyIndex: 1, session: null },
    },
    history: { known: true, seenAt: NOW, value: { promotions: world.told.map(promotionOf) } },
    epoch: { known: true, seenAt: NOW, value: { number: 0 } },
    sync: { known: true, seenAt: NOW, value: { value: null, isReadable: true } },
    ...{ override: null, paused: false, rejoinAllowed: false, masterSeenRunningAt: NOW },
    hold: controller.hold === null ? null : holdOf(controller.hold),
    ...{ resuming: controller.resuming, acquiring: controller.acquiring, holdsInitialize: false },
    disk: disk.record,
    postgres: {
      ...{ readAt: NOW, alive: isUp && !node.sick, failure: null, timeline: 1, replayed: true },
      inRecovery: isUp ? node.runner.postgres !== 'writable' : null,
      lsn: isUp ? parseLsn(LSN) : null,
      ...{ receiver: null, streamingReplicas: [] },
    },
    runner: { known: true, seenAt: NOW, value: reportOf(name, node) },
    votes: votesOf(controller),
    votedTerm: disk.votedTerm,
    published: publishedOf(controller),
    ownKillAt: controller.ownKill && published !== null ? toMillis(published.since) : null,
    lastFailsafeAskAt: controller.lastAsk === null ? null : toMillis(controller.lastAsk),
    ...neighbours(work),
    ...{
      eligibleReplicas: null,
      checkpointAt: null,
      slots: { known: false, why: 'not looked at' },
      clockJumped: false,
    },
    inFlight: inFlightOf(node, controller),
    switchover: { request: null, look: null, drainedFor: null },
  };
}

function entryOf({ entry, firstSeen, confirmed }: NonNullable<Controller['master']>) {
  return {
    value: masterValueOf(entry.value),
    modifyIndex: entry.index,
    session: entry.session,
    firstSeenAt: toMillis(firstSeen),
    confirmedSentAt: toMillis(confirmed),
  };
}

function promotionOf({ term, parent, node }: World['told'][number]) {
  return { term, parentTerm: parent, timeline: 1, forkLsn: LSN, node, from: null, why: '', at: '', tookMs: 0 };
}

/** A hold as the controller shows it; when it was acquired decides nothing here. */
function holdOf({
  term,
  phase,
  refused,
  waitUntil,
  predecessor,
  last,
  record,
}: Hold): NonNullable<Observation['hold']> {
  const lease = leaseRecordOf(record);
  return {
    ...{
      term,
      phase,
      acquiredAt: NOW - 500 * TICK_MS,
      provenAt: NOW - 500 * TICK_MS,
      predecessor,
      last: lastMasterOf(last),
    },
    endsAt: lease.endsAt,
    lost: lease.lost !== null || refused,
    unansweredSince: lease.unansweredSince,
    waitUntil: toMillis(waitUntil),
  };
}

/** Whoever was asked has the same data, so that what they answered decides nothing. */
function votesOf({ votedFor }: Controller): Observation['votes'] {
  return votedFor === null ? null : { term: votedFor, startedAt: NOW, askedAt: NOW, complete: true, answers: [] };
}

function publishedOf({ published }: Controller): PublishedSight | null {
  if (published === null) return null;
  const { instruction, instructionIndex, since } = published;
  return { instruction: instructionOf(instruction), instructionIndex, since: toMillis(since) };
}

/** Who streams from a Master: all others, unless they are gone. */
function neighbours({ world, name, node, bounds }: Work) {
  if (node.runner.postgres !== 'writable') return { reachableReplicas: [], goneMembers: [] };
  const others = NAMES.slice(0, bounds.nodes).filter((other) => other !== name);
  return {
    reachableReplicas: others.filter((other) => !world.gone.includes(other)).map(addressOf),
    goneMembers: world.gone,
  };
}

function inFlightOf(node: Node, controller: Controller): Observation['inFlight'] {
  const types: (Parameters<Observation['inFlight']['has']>[0] | false)[] = [
    controller.acquiring && 'acquire',
    controller.releasing && 'release',
    controller.asking !== null && 'askFailsafe',
    controller.writing === 'running' && 'markRunning',
    controller.writing === 'members' && 'writeMembers',
    node.runner.postgres === 'promoting' && 'promote',
  ];
  return new Set(types.filter((type) => type !== false));
}
