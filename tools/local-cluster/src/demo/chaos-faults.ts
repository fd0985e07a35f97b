import { createHash } from 'node:crypto';
import type { Faulty } from './scenario';

/** What chaos needs of a cluster; `LocalCluster` has it. */
export interface Breakable extends Faulty {
  restart(target: { readonly member: string; readonly process?: string }): Promise<void>;
  cut(from: string, to: string, isOneWay?: boolean): Promise<void>;
  heal(): Promise<void>;
}

/** Whom a fault can be done to. */
export interface Members {
  readonly nodes: readonly string[];
  readonly loadBalancers: readonly string[];
  /** The Master of this moment, or null. */
  readonly master: string | null;
  /** Each in a network namespace of its own, so that they can be cut off from each other. */
  readonly hasNetwork: boolean;
}

/** One fault, drawn: what it is in words, how it is done, and what is done after `lastsMs`. */
export interface ChaosFault {
  readonly text: string;
  readonly lastsMs: number;
  readonly strike: (cluster: Breakable) => Promise<void>;
  readonly mend: (cluster: Breakable) => Promise<void>;
}

/** A number from 0 to `below` − 1. */
export type Draw = (below: number) => number;

/** The same numbers for the same seed, in order. */
export function drawsOf(seed: number): Draw {
  let count = 0;
  return (below) => {
    count += 1;
    return createHash('sha256').update(`${seed}/${count}`).digest().readUInt32BE() % below;
  };
}

const NOTHING_TO_MEND = () => Promise.resolve();
/** Processes of a node that are killed (and restarted by their supervisor), or frozen for a while. */
const PROCESSES = ['postgres', 'db-controller', 'role-server', 'postgres-runner', 'consul'] as const;
const MILD_MS = { least: 300, spread: 1_700 } as const;
/** Long enough for a lease to run out. */
const HARD_MS = { least: 1_000, spread: 5_000 } as const;

/** Draws the next fault. Half of them strike the Master: that is where they can do harm. */
export function drawFault(draw: Draw, members: Members): ChaosFault {
  const kinds = [killProcess, freezeProcess, killNode, freezeNode, killLoadBalancerProcess, restartProcess];
  const all = members.hasNetwork ? [...kinds, cutOff, cutOff] : kinds;
  return pick(draw, all)(draw, members);
}

type Kind = (draw: Draw, members: Members) => ChaosFault;

const killProcess: Kind = (draw, members) => {
  const target = { member: someNode(draw, members), process: pick(draw, PROCESSES) };
  return once(`SIGKILL of ${nameOf(target, members)}`, (cluster) => cluster.kill(target));
};

const restartProcess: Kind = (draw, members) => {
  const target = { member: someNode(draw, members), process: pick(draw, ['db-controller', 'role-server', 'consul']) };
  return once(`restart of ${nameOf(target, members)}`, (cluster) => cluster.restart(target));
};

const freezeProcess: Kind = (draw, members) => {
  const target = { member: someNode(draw, members), process: pick(draw, PROCESSES) };
  return {
    text: `SIGSTOP of ${nameOf(target, members)}`,
    lastsMs: time(draw, HARD_MS),
    strike: (cluster) => cluster.freeze(target),
    mend: (cluster) => cluster.thaw(target),
  };
};

const killNode: Kind = (draw, members) => {
  const member = someNode(draw, members);
  return {
    text: `SIGKILL of all of ${nameOf({ member }, members)}`,
    lastsMs: time(draw, HARD_MS),
    strike: (cluster) => cluster.kill({ member }),
    mend: (cluster) => {
      cluster.startAgain({ member });
      return Promise.resolve();
    },
  };
};

const freezeNode: Kind = (draw, members) => {
  const member = someNode(draw, members);
  return {
    text: `SIGSTOP of all of ${nameOf({ member }, members)}`,
    lastsMs: time(draw, HARD_MS),
    strike: (cluster) => cluster.freeze({ member }),
    mend: (cluster) => cluster.thaw({ member }),
  };
};

const killLoadBalancerProcess: Kind = (draw, { loadBalancers }) => {
  const target = { member: pick(draw, loadBalancers), process: pick(draw, ['haproxy', 'lb-syncer']) };
  return once(`SIGKILL of ${target.member}/${target.process}`, (cluster) => cluster.kill(target));
};

const cutOff: Kind = (draw, members) => {
  const member = someNode(draw, members);
  const others = pick(draw, ['all', 'consul', 'nodes']);
  const isOneWay = draw(3) === 0;
  return {
    text: `${nameOf({ member }, members)} is cut off from ${others}${isOneWay ? ', one way' : ''}`,
    lastsMs: time(draw, HARD_MS),
    strike: (cluster) => cluster.cut(member, others, isOneWay),
    mend: (cluster) => cluster.heal(),
  };
};

function once(text: string, strike: ChaosFault['strike']): ChaosFault {
  return { text, lastsMs: 0, strike, mend: NOTHING_TO_MEND };
}

function someNode(draw: Draw, { nodes, master }: Members): string {
  return master !== null && draw(2) === 0 ? master : pick(draw, nodes);
}

function nameOf({ member, process }: { member: string; process?: string }, { master }: Members): string {
  const role = member === master ? ' (the Master)' : '';
  return `${member}${process === undefined ? '' : `/${process}`}${role}`;
}

function pick<T>(draw: Draw, from: readonly T[]): T {
  const one = from[draw(from.length)];
  if (one === undefined) throw new RangeError('nothing to choose from');
  return one;
}

/** Mostly short; every third as long as it takes to be missed. */
function time(draw: Draw, long: typeof HARD_MS): number {
  const { least, spread } = draw(3) === 0 ? long : MILD_MS;
  return least + draw(spread);
}
