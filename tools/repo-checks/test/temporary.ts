import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const LIMIT_MS = 60_000;
const POLL_MS = 20;

/** Waits until `holds` does, at most a minute. @throws Error that names what was waited for. */
export async function eventually(what: string, holds: () => Promise<boolean> | boolean): Promise<void> {
  const until = performance.now() + LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > until) throw new Error(`not within ${LIMIT_MS} ms: ${what}`);
    await delay(POLL_MS);
  }
}

/** Ports that were free on the loopback interface a moment ago. */
export async function freePorts<const N extends readonly string[]>(...names: N): Promise<Record<N[number], number>> {
  const servers = names.map((name) => ({ name, server: createServer().listen(0, '127.0.0.1') }));
  await Promise.all(servers.map(({ server }) => once(server, 'listening')));
  const ports = servers.map(({ name, server }) => [name, (server.address() as AddressInfo).port]);
  await Promise.all(servers.map(({ server }) => new Promise((resolve) => server.close(resolve))));
  return Object.fromEntries(ports) as Record<N[number], number>;
}

/** A new folder for what a test needs and nobody keeps. */
export function temporaryFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `ha-postgres-${name}-`));
}

/** PostgreSQL refuses to run as root: then it runs as the system's user `postgres`, else as ourselves. */
export function postgresAccount(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
