import { HAPROXY_CONFIG_DEFAULTS, renderHaproxyConfig } from '@ha-postgres/haproxy-config';
import { render, type Values } from './testing/render';
import { VALUE_SETS } from './testing/value-sets';
import { filesOf } from './testing/workloads';

interface LoadBalancerValues {
  readonly maxNumberOfStandbys?: number;
  readonly masterDbPort?: number;
  readonly standbyDbPort?: number;
  readonly haproxy?: {
    readonly statsPort?: number;
    readonly maxConnections?: number;
    readonly threads?: number;
    readonly timeouts?: { readonly connect: string; readonly read: string; readonly queue: string };
  };
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

const milliseconds = (text: string): number =>
  Number(/^\d+/.exec(text)?.[0]) * (UNITS[/[a-z]+$/.exec(text)?.[0] ?? ''] ?? NaN);

/** The configuration that the library writes for the same wishes. */
function fromLibrary(values: Values): string {
  const lb = (values.lb ?? {}) as LoadBalancerValues;
  const { haproxy = {} } = lb;
  const isLb = JSON.stringify(values).includes('"replicationVia":"lb"');
  const { connect, read, queue } = haproxy.timeouts ?? {};
  return renderHaproxyConfig({
    masterBind: `*:${lb.masterDbPort ?? 5432}`,
    standbyBind: `*:${lb.standbyDbPort ?? 5433}`,
    replicationBind: isLb ? '*:5434' : null,
    userBind: `*:${haproxy.statsPort ?? 9999}`,
    standbySlots: lb.maxNumberOfStandbys ?? HAPROXY_CONFIG_DEFAULTS.standbySlots,
    maxConnections: haproxy.maxConnections ?? HAPROXY_CONFIG_DEFAULTS.maxConnections,
    threads: haproxy.threads ?? HAPROXY_CONFIG_DEFAULTS.threads,
    timeouts: {
      ...(connect === undefined ? {} : { connectMs: milliseconds(connect) }),
      ...(read === undefined ? {} : { clientMs: milliseconds(read), serverMs: milliseconds(read) }),
      ...(queue === undefined ? {} : { queueMs: milliseconds(queue) }),
    },
  });
}

test.each(Object.entries(VALUE_SETS))('haproxy.cfg is what libs/haproxy-config writes: %s', (_name, values) => {
  expect(filesOf(render(values), 'postgres-lb')['haproxy.cfg']).toBe(fromLibrary(values));
});
