import { readdirSync } from 'node:fs';
import { Counter, Gauge, type Registry } from 'prom-client';

/**
 * What Prometheus' users expect of every process, under the names that prom-client's own collection gives it, read when
 * it is asked for and at no other time.
 *
 * prom-client's collection watches the event loop with a timer and garbage collection with an observer. A process that
 * has next to nothing to do pays for being woken: ten times a second was 0.11 % of a core for each service (measured),
 * where the whole of a service may take 1 %.
 */
export function collectProcessMetrics(registry: Registry): void {
  const registers = [registry];
  const startedAt = Date.now() / 1000 - process.uptime();

  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  /** `read` gives the value since the start of the process. */
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });

  counter('process_cpu_user_seconds_total', 'Processor time in user mode', () => process.cpuUsage().user / 1e6);
  counter('process_cpu_system_seconds_total', 'Processor time in the kernel', () => process.cpuUsage().system / 1e6);
  counter('process_cpu_seconds_total', 'Processor time', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  gauge('process_start_time_seconds', 'Start of the process, in seconds since 1970', () => startedAt);
  gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss());
  gauge('nodejs_heap_size_total_bytes', 'Heap of V8', () => process.memoryUsage().heapTotal);
  gauge('nodejs_heap_size_used_bytes', 'Heap of V8 that is in use', () => process.memoryUsage().heapUsed);
  gauge('nodejs_external_memory_bytes', 'Memory of buffers', () => process.memoryUsage().external);
  gauge('process_open_fds', 'Open file descriptors', openFiles);
  counter(
    'nodejs_eventloop_active_seconds_total',
    'How long the event loop was busy',
    () => performance.eventLoopUtilization().active / 1000,
  );
  new Gauge({
    name: 'nodejs_eventloop_lag_seconds',
    help: 'How long a callback waited for its turn when this was asked for',
    registers,
    async collect() {
      this.set(await turnOfTheLoop());
    },
  });
  new Gauge({
    name: 'nodejs_version_info',
    help: 'Version of Node.js',
    labelNames: ['version'],
    registers,
    collect() {
      this.set({ version: process.version }, 1);
    },
  });
}

/** One is open for the reading itself. NaN where the system does not tell. */
function openFiles(): number {
  try {
    return readdirSync(process.platform === 'linux' ? '/proc/self/fd' : '/dev/fd').length - 1;
  } catch {
    return Number.NaN;
  }
}

/** In seconds. */
function turnOfTheLoop(): Promise<number> {
  const from = performance.now();
  return new Promise((resolve) => setImmediate(() => resolve((performance.now() - from) / 1000)));
}
