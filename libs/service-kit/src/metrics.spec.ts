import perfHooks from 'node:perf_hooks';
import { Metrics } from './metrics';

describe('metrics', () => {
  it('are told in the text format of Prometheus', async () => {
    const metrics = new Metrics({ processMetrics: false });
    metrics.counter('switches_total', 'Switches', ['to']).inc({ to: 'Master' });
    metrics.gauge('lag_bytes', 'Lag').set(16);
    metrics.histogram('wait_seconds', 'Wait', [], [0.1, 1]).observe(0.5);
    const text = await metrics.text();
    expect(text).toContain('switches_total{to="Master"} 1');
    expect(text).toContain('lag_bytes 16');
    expect(text).toContain('wait_seconds_bucket{le="1"} 1');
    expect(metrics.contentType).toContain('text/plain');
  });

  it('are the same when asked for twice, and apart from those of another registry', async () => {
    const metrics = new Metrics({ app: 'x', processMetrics: false });
    metrics.counter('events_total', 'Events').inc();
    metrics.counter('events_total', 'Events').inc();
    expect(await metrics.text()).toContain('events_total{app="x"} 2');
    expect(await new Metrics({ processMetrics: false }).text()).not.toContain('events_total');
  });

  it('tell of the process itself, unless asked not to, and count nothing twice', async () => {
    const metrics = new Metrics();
    const cpuSeconds = async () => Number(/^process_cpu_seconds_total (.+)$/m.exec(await metrics.text())?.[1]);
    expect(await metrics.text()).toMatch(/^process_resident_memory_bytes [1-9]/m);
    const first = await cpuSeconds();
    expect(first).toBeGreaterThan(0);
    expect(await cpuSeconds()).toBeLessThanOrEqual(process.cpuUsage().user / 1e6 + process.cpuUsage().system / 1e6);
    expect(await cpuSeconds()).toBeGreaterThanOrEqual(first);
    expect(await new Metrics({ processMetrics: false }).text()).not.toContain('process_');
  });

  it('wake nobody: no timer watches the event loop, no observer the garbage collection', () => {
    const loop = jest.spyOn(perfHooks, 'monitorEventLoopDelay');
    const observer = jest.spyOn(perfHooks.PerformanceObserver.prototype, 'observe');
    new Metrics();
    expect(loop).not.toHaveBeenCalled();
    expect(observer).not.toHaveBeenCalled();
  });
});
