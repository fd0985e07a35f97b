import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { endpointsOf, targetPort } from '../network/endpoints';
import type { Objects } from '../objects';
import type { Pod } from '../run/pod';

/** The pod that a port-forward leads to, and the port there. */
export interface Destination {
  readonly pod: Pod;
  readonly port: number;
}

/**
 * Which pod `kubectl port-forward KIND/NAME` chooses; it stays with that one.
 * @throws Error if there is none that runs
 */
export function destinationOf(
  kind: string,
  name: string,
  port: number,
  objects: Objects,
  pods: readonly Pod[],
): Destination {
  const running = pods.filter(({ ip, isEnding }) => ip !== null && !isEnding);
  const best = (some: readonly Pod[]): Pod => {
    const pod = some.find(({ isReady }) => isReady) ?? some[0];
    if (pod === undefined)
      throw new Error(`unable to forward port because pod is not running: ${kind} ${name} has none`);
    return pod;
  };
  if (kind === 'Pod') return { pod: best(running.filter((pod) => pod.name === name)), port };
  if (kind !== 'Service')
    return { pod: best(running.filter(({ planned }) => planned.owner === `${kind}/${name}`)), port };
  const service = objects.services.find(({ metadata }) => metadata.name === name);
  const of = service?.spec.ports?.find((one) => one.port === port);
  if (service === undefined || of === undefined)
    throw new Error(`services "${name}" not found, or without port ${port}`);
  const names = endpointsOf(
    service,
    running.flatMap(({ seen }) => seen ?? []),
  ).map((one) => one.name);
  const pod = best(running.filter((one) => names.includes(one.name)));
  return { pod, port: targetPort(of, pod.planned.spec) ?? port };
}

/** A port of the loopback that leads to one pod, until that is gone or breaks a connection, as kubectl has it. */
export class Forward {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #ended: Promise<string>;
  #end: (why: string) => void = () => undefined;

  constructor(private readonly to: Destination) {
    this.#ended = new Promise((resolve) => (this.#end = resolve));
    this.#server = createServer((client) => this.#lead(client));
    this.#server.on('error', (error) => this.#end(error.message));
  }

  /** @throws Error if nobody may listen there */
  async listen(port: number): Promise<void> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Resolves with why it ended; then nothing of it is left. */
  async ended(signal: AbortSignal): Promise<string> {
    const told = (): void => this.#end('told to');
    signal.addEventListener('abort', told, { once: true });
    if (signal.aborted) told();
    const looking = setInterval(() => this.to.pod.isGone && this.#end('lost connection to pod'), 100);
    const why = await this.#ended;
    clearInterval(looking);
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    return why;
  }

  #lead(client: Socket): void {
    const pod = connect({ host: this.to.pod.ip ?? '', port: this.to.port });
    for (const [from, to] of [
      [client, pod],
      [pod, client],
    ] as const) {
      this.#sockets.add(from);
      from.setNoDelay(true);
      from.pipe(to);
      from.once('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
    client.on('error', () => undefined);
    pod.on('error', (error) => this.#end(`lost connection to pod: ${error.message}`));
  }
}
