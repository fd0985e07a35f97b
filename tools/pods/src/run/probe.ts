import { createConnection } from 'node:net';
import type { Container, PodSpec, Probe } from '../kubernetes';
import { portNamed } from '../network/endpoints';

/** Carries a command out in the container; says whether it succeeded in time. */
export type Carry = (command: readonly string[], timeoutMs: number) => Promise<boolean>;

/** One look at a container, as the kubelet does it. Never throws for what the container does. */
export async function succeeds(probe: Probe, ip: string, spec: PodSpec, carry: Carry): Promise<boolean> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1_000;
  const { httpGet, tcpSocket, exec } = probe;
  if (httpGet !== undefined)
    return httpSucceeds(`http://${ip}:${portOf(httpGet.port, spec)}${httpGet.path ?? '/'}`, timeoutMs);
  if (tcpSocket !== undefined) return isOpen(ip, portOf(tcpSocket.port, spec), timeoutMs);
  return carry(exec?.command ?? [], timeoutMs);
}

function portOf(port: string | number, spec: PodSpec): number {
  const number = typeof port === 'number' ? port : portNamed(spec, port);
  if (number === null) throw new Error(`a probe names the port ${port}, which no container has`);
  return number;
}

async function httpSucceeds(url: string, timeoutMs: number): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs), redirect: 'manual' });
    await response.arrayBuffer();
    return response.status >= 200 && response.status < 400;
  } catch {
    return false;
  }
}

function isOpen(host: string, port: number, timeoutMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port, timeout: timeoutMs });
    const say = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', say(true)).once('timeout', say(false)).once('error', say(false));
  });
}

/** What is known of a container by its probes. */
export interface Health {
  readonly started: boolean;
  readonly ready: boolean;
}

/** Before anything was asked: what has no probe is taken to be well. */
export const healthAtStart = ({ startupProbe, readinessProbe }: Container): Health => ({
  started: startupProbe === undefined,
  ready: startupProbe === undefined && readinessProbe === undefined,
});

/** Results in a row, by which one that differs does not count at once. */
export class Threshold {
  #row = 0;
  #last: boolean | null = null;

  constructor(private readonly probe: Probe) {}

  /** True, false, or null as long as nothing is decided. */
  after(success: boolean): boolean | null {
    this.#row = success === this.#last ? this.#row + 1 : 1;
    this.#last = success;
    const { successThreshold = 1, failureThreshold = 3 } = this.probe;
    return this.#row >= (success ? successThreshold : failureThreshold) ? success : null;
  }
}
