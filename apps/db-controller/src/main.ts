import { mkdirSync } from 'node:fs';
import {
  parseFailsafeAnswer,
  parseFailsafeRequest,
  parseVoteAnswer,
  parseVoteRequest,
  parseWalTailAnswer,
  parseWalTailRequest,
} from '@ha-postgres/cluster-state';
import { ConsulClient, consulSettingsFromEnvironment } from '@ha-postgres/consul-election';
import { AliveCheck, HeldConnection, type ConnectionTarget } from '@ha-postgres/pg-health';
import { acquireNodeLock, killProcessesIn, processesIn, runApp, type AppContext } from '@ha-postgres/service-kit';
import { join } from 'node:path';
import { readTimelineHistory, readWal, writeWal } from './act/wal-segments';
import { options, rules, type ControllerConfig } from './config';
import { createController } from './controller';
import { thisMachine } from './machine';
import { Peers } from './peers';
import type { PostgresPort } from './ports';
import { fileStateStore } from './state-store';
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
  const controller = createController({
    config,
    log,
    machine: thisMachine(),
    client,
    server: serverAt(config),
    processes: {
      kill: () => killProcessesIn(config.dataDir, 'SIGKILL'),
      list: () => processesIn(config.dataDir),
    },
    wal: { read: readWal, write: writeWal, history: readTimelineHistory },
    store: fileStateStore(join(config.stateDir, 'controller.json')),
    peers: new Peers(config.clusterSecret, log),
    fail,
  });

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
  const close = await listenOnSocket(controller.parts, controller.answers, metrics);
  // role-server always waits for the next state here: it asks again, and the lease runs while this process is away.
  onStop(() => close(CLOSE_GRACE_MS));
  onStop(async () => {
    await controller.stop();
    client.close();
  });
  onStop(() => controller.lastBeat());
  controller.start();
}

function serverAt(config: ControllerConfig): PostgresPort {
  const target: ConnectionTarget = {
    host: config.postgresHost,
    port: config.postgresPort,
    user: config.controllerName,
    password: config.controllerPassword,
    database: config.database,
    applicationName: 'ha-postgres controller',
  };
  return {
    aliveCheck: (timeouts) => new AliveCheck(target, timeouts),
    hold: (held) => new HeldConnection(target, held),
  };
}
