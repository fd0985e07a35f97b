import { isIPv6 } from 'node:net';
import { action, type Command } from './command';
import type { HostPort } from './server-commands';
import { ipAddress, port, serverPath, word, type ServerRef } from './words';

/**
 * Creates a server that lives until HAProxy restarts or reloads. It starts in maint with its checks off:
 * `enableHealth` and `enableServer` follow. Nothing is taken over from `default-server`.
 * @param keywords as in the configuration, one word each: `['check', 'inter', '500ms']`
 */
export const addServer = (server: ServerRef, address: HostPort, keywords: readonly string[] = []): Command => {
  const host = ipAddress('host', address.host);
  const target = `${isIPv6(host) ? `[${host}]` : host}:${port(address.port)}`;
  const words = ['add server', serverPath(server), target, ...keywords.map((keyword) => word('keyword', keyword))];
  return action(words.join(' '), /^New server registered\.?$/i);
};

/** Removes a server that is in maint and has no connections; also one of the configuration file (2.6). */
export const deleteServer = (server: ServerRef): Command =>
  action(`del server ${serverPath(server)}`, /^Server deleted\.?$/i);
