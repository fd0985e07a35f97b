import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WORKSPACE_ROOT } from '@ha-postgres/local-cluster';
import type { PodsCluster } from '../run/pods-cluster';
import { parseKubectl } from './command';
import { destinationOf, Forward } from './forward';
import { found, listed } from './list';

/** What a program that was called says back: text for its outputs, and its end. */
export type Say = (answer: { readonly stdout?: string; readonly stderr?: string; readonly exit?: number }) => void;

/** Carries out what one program on the PATH was called for; returns its exit code. @param signal it was ended */
export type Called = (args: readonly string[], say: Say, signal: AbortSignal) => Promise<number>;

/** How a context is named by which `tools/deploy` brings images itself. */
const CONTEXT = 'kind-pods';

/** Programs of its own for a PATH, `kubectl` first of all, which this process answers: the pods here are what they lead to. */
export class KubectlDoor {
  readonly directory = mkdtempSync(join(tmpdir(), 'hapg-kubectl-'));
  readonly bin = join(this.directory, 'bin');
  readonly #programs = new Map<string, Called>();
  readonly #server: Server;
  readonly #connections = new Set<Socket>();

  private constructor() {
    mkdirSync(this.bin);
    this.#server = createServer((socket) => this.#take(socket));
  }

  static async open(cluster: PodsCluster): Promise<KubectlDoor> {
    const door = new KubectlDoor();
    door.#server.listen(door.#socket);
    await once(door.#server, 'listening');
    door.add('kubectl', (args, say, signal) => kubectl(cluster, args, say, signal));
    return door;
  }

  /** One more program; one that does without an answer from here is not for this. */
  add(name: string, called: Called): void {
    this.#programs.set(name, called);
    const client = join(WORKSPACE_ROOT, 'tools', 'pods', 'kubectl-client.mjs');
    const file = join(this.bin, name);
    writeFileSync(file, `#!/bin/sh\nexec '${process.execPath}' '${client}' '${this.#socket}' '${name}' "$@"\n`);
    chmodSync(file, 0o755);
  }

  /** For a process that is to find these programs first. */
  get path(): string {
    return `${this.bin}:${process.env.PATH ?? ''}`;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    this.#server.close();
    await once(this.#server, 'close');
    rmSync(this.directory, { recursive: true, force: true });
  }

  get #socket(): string {
    return join(this.directory, 'socket');
  }

  #take(socket: Socket): void {
    const over = new AbortController();
    this.#connections.add(socket);
    socket.on('error', () => undefined);
    socket.once('close', () => {
      this.#connections.delete(socket);
      over.abort();
    });
    const say: Say = (answer) => void socket.write(`${JSON.stringify(answer)}\n`);
    createInterface({ input: socket }).once('line', (line) => {
      const [program = '', ...args] = JSON.parse(line) as string[];
      void this.#carryOut(program, args, say, over.signal).then((exit) => {
        say({ exit });
        socket.end();
      });
    });
  }

  async #carryOut(program: string, args: readonly string[], say: Say, signal: AbortSignal): Promise<number> {
    try {
      return (await this.#programs.get(program)?.(args, say, signal)) ?? 127;
    } catch (error) {
      say({ stderr: `error: ${(error as Error).message}\n` });
      return 1;
    }
  }
}

/** What kubectl would do where the pods of a cluster here were Kubernetes'. @throws Error in words for its user */
async function kubectl(cluster: PodsCluster, args: readonly string[], say: Say, signal: AbortSignal): Promise<number> {
  const command = parseKubectl(args, cluster.namespace);
  const { objects, pods } = cluster;
  switch (command.do) {
    case 'config':
      say({ stdout: JSON.stringify({ 'current-context': CONTEXT, contexts: [{ name: CONTEXT }] }) });
      return 0;
    case 'get': {
      const { kinds, name, labels } = command;
      say({
        stdout: name === null ? listed(kinds, labels, objects, pods) : found(kinds[0] ?? '', name, objects, pods),
      });
      return 0;
    }
    case 'exec': {
      const { containers } = cluster.pod(command.pod).planned.spec;
      const container = command.container ?? containers[0]?.name ?? '';
      const { status, stdout, stderr } = await cluster.exec(command.pod, container, ...command.command);
      say({ stdout, stderr });
      return status ?? 1;
    }
    case 'delete': {
      const { pod, graceSeconds, waits } = command;
      const ending = graceSeconds === 0 ? cluster.kill(pod) : cluster.delete(pod, graceSeconds ?? undefined);
      if (waits) await ending;
      say({ stdout: `pod "${pod}" deleted\n` });
      return 0;
    }
    case 'port-forward': {
      const { kind, name, local, port } = command;
      const to = destinationOf(kind, name, port, objects, pods);
      const forward = new Forward(to);
      await forward.listen(local);
      say({ stdout: `Forwarding from 127.0.0.1:${local} -> ${to.port}\n` });
      say({ stderr: `error: ${await forward.ended(signal)}\n` });
      return 1;
    }
  }
}
