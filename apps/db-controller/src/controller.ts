import { clusterKeys } from '@ha-postgres/cluster-state';
import type { Observation } from '@ha-postgres/failover';
import type { Log } from '@ha-postgres/service-kit';
import { effectsOf } from './act/effects';
import { lastBeat } from './act/last-beat';
import { resumeHold } from './act/lock-effects';
import { leaseTimesOf, policyOf, type ControllerConfig } from './config';
import { Disk } from './disk';
import { Facts } from './facts';
import { Loop } from './loop';
import type { Machine } from './machine';
import { ClockJump } from './observe/clock-jump';
import { ConsulView } from './observe/consul-view';
import { hasMasterToStreamFrom } from './observe/master-to-stream-from';
import { PostgresView } from './observe/postgres-view';
import { RejoinLeaveWatch } from './observe/rejoin-leave';
import { Replicas } from './observe/replicas';
import { Slots } from './observe/slots';
import type { Parts } from './parts';
import type { ControllerConsul, PeersPort, PostgresPort, ProcessesPort, StateStore, WalPort } from './ports';
import { Answers } from './tell/answers';
import { Publisher } from './tell/publisher';
import { Registration } from './tell/registration';

/** All that a controller touches of the world: the machine, Consul, PostgreSQL, processes, disk and the other nodes. */
export interface ControllerPorts {
  readonly config: ControllerConfig;
  readonly log: Log;
  readonly machine: Machine;
  readonly client: ControllerConsul;
  readonly server: PostgresPort;
  readonly processes: ProcessesPort;
  readonly wal: WalPort;
  readonly store: StateStore;
  readonly peers: PeersPort;
  /** A program error that must not go on: fence and exit. */
  readonly fail: (error: unknown) => void;
}

/** A controller without its door; the same on a real machine and on a simulated one. */
export interface Controller {
  readonly parts: Parts;
  readonly answers: Answers;
  readonly observation: () => Observation;
  /** To be called once, when it can be asked. */
  start(): void;
  /** Done first when it stops as asked: the next process then has a whole lease to come up in. */
  lastBeat(): Promise<void>;
  /** The lock is kept: a controller that is restarted goes on with it, and one that is not is waited out. */
  stop(): Promise<void>;
}

/** @throws CodedError if what is stored of the node cannot be read. */
export function createController(ports: ControllerPorts): Controller {
  const parts = partsOf(ports, () => loop.poke());
  const registration = new Registration(parts);
  const clockJump = new ClockJump(parts.policy.driftMarginMs, parts.clock);
  const loop = new Loop(parts, effectsOf(parts), clockJump, (status) => registration.tell(status));
  const watches = [new Replicas(parts), new Slots(parts), new RejoinLeaveWatch(parts)];
  parts.facts.resuming = parts.disk.hold !== null;
  parts.facts.nameInDoubt = true;
  const observation = () => loop.observation();
  return {
    parts,
    answers: new Answers(parts, observation),
    observation,
    start: () => {
      parts.consul.start();
      parts.postgres.start();
      for (const watch of watches) watch.start();
      registration.start();
      parts.poke();
      void resumeHold(parts);
    },
    lastBeat: () => lastBeat(parts.facts.hold, parts.log, parts.clock),
    stop: async () => {
      loop.stop();
      for (const watch of watches) watch.stop();
      registration.stop();
      parts.consul.stop();
      parts.facts.hold?.stop();
      await parts.postgres.close();
    },
  };
}

/** Unlike any other start of any controller: the boot, the moment in it, and chance. */
function incarnationOf({ bootId, clock, random }: Machine): string {
  return `${bootId}-${Math.round(clock.now())}-${Math.floor(random() * 1e9).toString(36)}`;
}

function partsOf(ports: ControllerPorts, poke: () => void): Parts {
  const { config, log, machine, client, server, store } = ports;
  const { clock } = machine;
  const policy = policyOf(config);
  const keys = clusterKeys(config.consulPrefix);
  const consul = new ConsulView(client, keys, config.node, log, poke, config.heartbeatInterval, machine);
  return {
    ...ports,
    ...machine,
    self: { node: config.node, host: config.host, port: config.postgresPort, apiPort: config.apiPort },
    keys,
    times: leaseTimesOf(config),
    policy,
    startedAt: clock.now(),
    incarnation: incarnationOf(machine),
    disk: new Disk(store, config.node, policy.leaseDurationMs + policy.driftMarginMs, machine, log),
    facts: new Facts(),
    consul,
    postgres: new PostgresView({
      server,
      clock,
      checkIntervalMs: config.checkInterval,
      stateIntervalMs: config.heartbeatInterval,
      connectTimeoutMs: config.connectTimeout,
      queryTimeoutMs: config.queryTimeout,
      aliveThreshold: config.aliveCheckFailureThreshold,
      replicationThreshold: config.standbyReplicationCheckFailureThreshold,
      storageTimeoutMs: config.storageTimeout,
      hasMasterToStreamFrom: () => hasMasterToStreamFrom(consul.master, clock.now(), config.heartbeatInterval),
      log,
      onChange: poke,
    }),
    publisher: new Publisher(machine),
    poke,
  };
}
