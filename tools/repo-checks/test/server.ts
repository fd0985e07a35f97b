import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { eventually, temporaryFolder } from './temporary';

/** How one real server is started in a folder of its own. */
export interface ServerSpec {
  readonly name: string;
  /** Prepares the folder and gives the command line. */
  readonly command: (folder: string) => readonly [program: string, ...args: string[]];
  readonly options?: SpawnOptions;
  readonly isReady: () => Promise<boolean>;
  /** How it is ended; default SIGTERM. */
  readonly endWith?: NodeJS.Signals;
}

/** A real server that a test started, with all it writes. */
export class Server {
  #output = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly folder: string,
    private readonly endWith: NodeJS.Signals,
  ) {
    const collect = (text: Buffer): void => void (this.#output += text.toString());
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.on('error', (error) => (this.#output += error.message));
  }

  /** @throws Error with all it wrote, if it ends or is not ready in time. */
  static async start({ name, command, options, isReady, endWith }: ServerSpec): Promise<Server> {
    const folder = temporaryFolder(name);
    const [program, ...args] = command(folder);
    const child = spawn(program, args, { cwd: folder, ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const server = new Server(child, folder, endWith ?? 'SIGTERM');
    try {
      await eventually(`${name} is ready`, () => {
        if (server.hasEnded()) throw new Error(`${name} ended: ${server.#output}`);
        return isReady().catch(() => false);
      });
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get output(): string {
    return this.#output;
  }

  /** Ends it and removes its folder. */
  async stop(): Promise<void> {
    const { child } = this;
    if (child.pid !== undefined && !this.hasEnded()) {
      const ended = once(child, 'exit');
      child.kill(this.endWith);
      const patience = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await ended;
      clearTimeout(patience);
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }
}
