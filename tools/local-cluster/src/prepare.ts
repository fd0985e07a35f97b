import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { renderHaproxyConfig } from '@ha-postgres/haproxy-config';
import { replaceFile } from './atomic-file';
import { consulConfig, parseConsulVersion, type ConsulIdentity } from './consul-files';
import { NODES_MAX, hostOf, type Layout, type LoadBalancerPlace } from './layout';
import { consulConfigFile, haproxyConfigFile, holdSocket, socketDir } from './process-specs';
import type { Programs } from './workspace';

/** Makes the directories and configuration files of all members. */
export function prepareFiles(layout: Layout, programs: Programs): void {
  const version = parseConsulVersion(execFileSync(programs.consul, ['version'], { encoding: 'utf8' }));
  mkdirSync(layout.logs, { recursive: true });
  for (const identity of consulIdentities(layout)) {
    mkdirSync(identity.dir, { recursive: true });
    replaceFile(consulConfigFile(identity.dir), JSON.stringify(consulConfig(layout, identity, version), null, 2));
  }
  for (const lb of layout.loadBalancers) replaceFile(haproxyConfigFile(lb), haproxyConfig(layout, lb));
  for (const node of layout.nodes) {
    mkdirSync(socketDir(node), { recursive: true });
    // PostgreSQL may run as another user than the one who runs the cluster; mkdir's own mode is subject to the umask.
    chmodSync(socketDir(node), 0o1777);
  }
}

function consulIdentities(layout: Layout): ConsulIdentity[] {
  const { servers, nodes, loadBalancers } = layout;
  return [
    ...servers.map((server) => ({ ...server, isServer: true })),
    ...[...nodes, ...loadBalancers].map(({ name, dir, agent }) => ({ name, dir, ...agent, isServer: false })),
  ];
}

function haproxyConfig(layout: Layout, lb: LoadBalancerPlace): string {
  const host = hostOf(layout, lb.name);
  return renderHaproxyConfig({
    masterBind: `${host}:${lb.masterPort}`,
    standbyBind: `${host}:${lb.standbyPort}`,
    replicationBind: `${host}:${lb.replicationPort}`,
    adminBind: `${host}:${lb.adminPort}`,
    userBind: `${host}:${lb.statsPort}`,
    holdBind: holdSocket(lb),
    // For those that may be added later, too.
    standbySlots: NODES_MAX,
    threads: 1,
  });
}
