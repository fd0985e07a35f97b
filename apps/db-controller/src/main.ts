import { mkdirSync } from 'node:fs';
import {
  clusterKeys,
  parseFailsafeAnswer,
  parseFailsafeRequest,
  parseVoteAnswer,
  parseVoteRequest,
  parseWalTailAnswer,
  parseWalTailRequest,
} from '@ha-postgres/cluster-state';
import { ConsulClient, consulSettingsFromEnvironment } from '@ha-postgres/consul-election';
import type { ConnectionTarget } from '@ha-postgres/pg-health';
import { acquireNodeLock, monotonicNow, runApp, type AppContext } from '@ha-postgres/service-kit';
import { join } from 'node:path';
import { effectsOf } from './act/effects';
import { lastBeat } from './act/last-beat';
import { resumeHold } from './act/lock-effects';
import { leaseTimesOf, options, policyOf, rules, type ControllerConfig } from './config';
import { Disk } from './disk';
import { Facts } from './facts';
import { Loop } from './loop';
import { ClockJump } from './observe/clock-jump';
import { ConsulView } from './observe/consul-view';
import { hasMasterToStreamFrom } from './observe/master-to-stream-from';
import { PostgresView } from './observe/postgres-view';
import { Replicas } from './observe/replicas';
import type { Parts } from './parts';
import { Peers } from './peers';
import { Answers } from './tell/answers';
import { Publisher } from './tell/publisher';
import { Registration } from './tell/registration';
import { listenOnSocket } from './tell/socket-server';

const CLOSE_GRACE_MS = 50;

runApp({
  name: 'db-controller',
  description: 'Decides what a database node is: checks PostgreSQL, holds the lease, promotes, fences.',
  options,
  rules,
  start,
});

async function start({ config, log, metrics, onStop, fail }: AppContext<ControllerConfig>): Promise<void> {
  mkdirSync(config.stateDir, { recursive: true });
  const lock = acquireNodeLock(join(config.stateDir, 'controller.lock'));
  onStop(() => lock.release());

  const settings = consulSettingsFromEnvironment(process.env);
  const client = new ConsulClient(
    { ...settings, serverAddresses: [...(settings.serverAddresses ?? []), ...config.consulServers] },
    { log },
  );
  const policy = policyOf(config);
  const target: ConnectionTarget = {
    host: config.postgresHost,
    port: config.postgresPort,
    user: config.controllerName,
    password: config.controllerPassword,
    database: config.database,
    applicationName: 'ha-postgres controller',
  };
  let loop: Loop | null = null;
  const poke = () => loop?.poke();
  const keys = clusterKeys(config.consulPrefix);
  const parts: Parts = {
    config,
    self: { node: config.node, host: config.host, port: config.postgresPort, apiPort: config.apiPort },
    keys,
    times: leaseTimesOf(config),
    policy,
    target,
    client,
    disk: new Disk(config.stateDir, config.node, policy.leaseDurationMs + policy.driftMarginMs, log),
    facts: new Facts(),
    consul: new ConsulView(client, keys, config.node, log, poke, config.heartbeatInterval),
    postgres: new PostgresView({
      target,
      checkIntervalMs: config.checkInterval,
      stateIntervalMs: config.heartbeatInterval,
      connectTimeoutMs: config.connectTimeout,
      queryTimeoutMs: config.queryTimeout,
      aliveThreshold: config.aliveCheckFailureThreshold,
      replicationThreshold: config.standbyReplicationCheckFailureThreshold,
      hasMasterToStreamFrom: () => hasMasterToStreamFrom(parts.consul.master, monotonicNow(), config.heartbeatInterval),
      log,
      onChange: poke,
    }),
    publisher: new Publisher(),
    peers: new Peers(config.clusterSecret, log),
    log,
    poke,
    fail,
  };
  const registration = new Registration(parts);
  const running = new Loop(parts, effectsOf(parts), new ClockJump(policy.driftMarginMs), (status) =>
    registration.tell(status),
  );
  const replicas = new Replicas(parts);
  parts.facts.resuming = parts.disk.hold !== null;
  loop = running;

  // Validators are compiled at their first use: now, and not in the middle of a failover.
  for (const parse of [
    parseVoteRequest,
    parseVoteAnswer,
    parseFailsafeRequest,
    parseFailsafeAnswer,
    parseWalTailRequest,
    parseWalTailAnswer,
  ])
    parse('null');
  const close = await listenOnSocket(parts, new Answers(parts, () => running.observation()), metrics);
  // role-server always waits for the next state here: it asks again, and the lease runs while this process is away.
  onStop(() => close(CLOSE_GRACE_MS));
  parts.consul.start();
  parts.postgres.start();
  replicas.start();
  registration.start();
  onStop(async () => {
    running.stop();
    replicas.stop();
    registration.stop();
    parts.consul.stop();
    // The lock is kept: a controller that is restarted goes on with it, and one that is not is waited out.
    parts.facts.hold?.stop();
    await parts.postgres.close();
    client.close();
  });
  onStop(() => lastBeat(parts.facts.hold, log));
  poke();
  void resumeHold(parts);
}
