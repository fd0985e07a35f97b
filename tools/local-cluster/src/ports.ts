import { createServer, type Server } from 'node:net';

/** Below the range from which systems take ports of outgoing connections, so that a port stays free while its owner is down. */
const FIRST = 15_000;
const LAST = 31_999;

/**
 * Finds `count` different free TCP ports on 127.0.0.1.
 * @throws Error if there are not that many.
 */
export async function freePorts(count: number, random: () => number = Math.random): Promise<number[]> {
  const start = FIRST + Math.floor(random() * (LAST - FIRST));
  const ports: number[] = [];
  for (let tried = 0; ports.length < count; tried += 1) {
    if (tried > LAST - FIRST) throw new Error(`only ${ports.length} of ${count} ports are free on 127.0.0.1`);
    const port = FIRST + ((start - FIRST + tried) % (LAST - FIRST + 1));
    if (await isFree(port)) ports.push(port);
  }
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await listen(server, port);
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}
