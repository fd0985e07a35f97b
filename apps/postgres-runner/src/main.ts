import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { acquireNodeLock, runApp } from '@ha-postgres/service-kit';
import { configProblems, options } from './config';
import { refuseMountPoint } from './disk/mount-point';
import { RunnerState } from './disk/runner-state';
import { Guard } from './guard';
import { accountOf } from './postgres/account';
import { findBinaries } from './postgres/binaries';
import { hbaText } from './postgres/hba';
import { ServerFiles } from './postgres/server-files';
import { freeBytesOf } from './rejoin/room';
import { RoleServerClient } from './role-server-client';
import { Runner } from './runner';
import { thisMachine } from './machine';
import { Server } from './server';

runApp({
  name: 'postgres-runner',
  description: 'Runs PostgreSQL in the role that db-controller decided, and fences it by its own clock.',
  options,
  rules: configProblems,
  start: async ({ config, log, onStop, fail }) => {
    const account = accountOf(config.user);
    const binaries = findBinaries(config.binDir, process.env.PATH ?? '');
    mkdirSync(config.stateDir, { recursive: true, mode: 0o711 });
    const lock = acquireNodeLock(join(config.stateDir, 'runner.lock'));
    onStop(() => lock.release());
    if (mkdirSync(config.dataDir, { recursive: true, mode: 0o700 }) !== undefined) account.own(config.dataDir);
    // Processes are found by the real path of their working directory.
    const dataDir = realpathSync(config.dataDir);
    refuseMountPoint(dataDir);
    const guard = new Guard(dataDir, config.stateDir, log);
    guard.endPredecessor();
    guard.start();
    onStop(() => guard.close());
    const state = new RunnerState(config.stateDir, config.node, dataDir, log);
    const files = new ServerFiles({ ...config, dataDir, hba: (admits) => hbaText(config, admits) }, account);
    const tools = { config, dataDir, binaries, account, files, state, log, freeBytes: freeBytesOf };
    const expectation = { major: binaries.major, uid: account.uid, systemId: config.systemId ?? null };
    const runner = new Runner({
      node: config.node,
      state,
      machine: thisMachine(tools, expectation, log),
      server: new Server(config, dataDir, binaries, account, files, log),
      client: new RoleServerClient(config.roleServerUrl, log),
      log,
      fail,
    });
    onStop(() => runner.stop());
    await runner.start();
  },
});
