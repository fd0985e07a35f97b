import type { Phase, Role } from '@ha-postgres/cluster-state';
import fc from 'fast-check';
import type { ClusterView } from './cluster-view';
import { difference, missingServers } from './difference';
import { planBackends, wishFor, type Desired } from './plan-backends';
import { ModelHaproxy } from './testing/model-haproxy';
import { BACKENDS, SERVERS, held, instance, masterValue, view } from './testing/views';

const FRESH = { isFresh: true };
const desiredOf = (of: ClusterView): Desired => planBackends(of, BACKENDS);
const linesTo = (desired: Desired, haproxy: ModelHaproxy, options = FRESH): string[] =>
  difference(desired, haproxy.now(), options).flatMap(({ commands }) => commands.map(({ line }) => line));

/** Applies the first `count` commands, all if not given. */
function apply(desired: Desired, haproxy: ModelHaproxy, count = Infinity, options = FRESH): void {
  difference(desired, haproxy.now(), options)
    .flatMap(({ commands }) => commands)
    .slice(0, count)
    .forEach((command) => haproxy.apply(command));
}

function settledHaproxy(of: ClusterView = view()): ModelHaproxy {
  const haproxy = new ModelHaproxy(SERVERS);
  apply(desiredOf(of), haproxy);
  return haproxy;
}

describe('difference', () => {
  it('does nothing where the desired state holds already', () => {
    expect(linesTo(desiredOf(view()), settledHaproxy())).toEqual([]);
  });

  it('moves a live server in order: maint, sessions closed, address, check address, ready, and no failed check held against it', () => {
    const promoted = desiredOf(view({ master: held(masterValue(1)) }));
    expect(linesTo(promoted, settledHaproxy()).filter((line) => line.includes('master0'))).toEqual([
      'set server master/master0 state maint',
      'shutdown sessions server master/master0',
      'set server master/master0 addr 10.0.0.2 port 5432',
      'set server master/master0 check-addr 10.0.0.2 port 8080',
      'set server master/master0 state ready',
      'set server master/master0 health up',
    ]);
  });

  it('begins with the Master', () => {
    const lines = linesTo(desiredOf(view()), new ModelHaproxy([...SERVERS].reverse()));
    expect(lines[0]).toContain('master/master0');
    expect(lines.at(-1)).toContain('standby/');
  });

  it('closes the sessions of a server that leaves, also those that an interrupted change left open', () => {
    const haproxy = settledHaproxy();
    haproxy.connectClients();
    const draining = desiredOf(view({ master: held(masterValue(0, { phase: 'draining' })) }));
    apply(draining, haproxy, 1);
    expect(linesTo(draining, haproxy)).toEqual(['shutdown sessions server master/master0']);
  });

  it('lets a server come back without Consul only through its own check', () => {
    const lines = linesTo(desiredOf(view()), new ModelHaproxy(SERVERS), { isFresh: false });
    expect(lines.filter((line) => line.includes('master0')).slice(-2)).toEqual([
      'set server master/master0 state ready',
      'set server master/master0 health down',
    ]);
    expect(lines.some((line) => line.includes('replication0 health'))).toBe(false);
  });

  it('lets the sessions of a Master that hands over go on, and closes them when it has released the key', () => {
    const leaving = masterValue(0, { phase: 'draining', successor: 'pg-1' });
    const haproxy = settledHaproxy();
    haproxy.connectClients();
    const draining = planBackends(view({ master: held(leaving) }), BACKENDS, true);
    const master = (desired: Desired) => linesTo(desired, haproxy).filter((line) => line.includes('/master0'));
    expect(master(draining)).toEqual(['set server master/master0 state drain']);
    apply(draining, haproxy);
    expect(linesTo(draining, haproxy)).toEqual([]);
    expect(master(desiredOf(view({ master: held({ ...leaving, released: true }, null) })))).toEqual([
      'set server master/master0 state maint',
      'shutdown sessions server master/master0',
    ]);
  });

  it('opens the way to the next Master before it takes the plug out', () => {
    const haproxy = settledHaproxy();
    plugIn(haproxy);
    const lines = linesTo(desiredOf(view({ master: held(masterValue(1)) })), haproxy);
    expect(lines.slice(4, 8)).toEqual([
      'set server master/master0 state ready',
      'set server master/master0 health up',
      'set server master/hold state maint',
      'shutdown sessions server master/hold',
    ]);
  });

  it('ends a drain that somebody else began', () => {
    const haproxy = settledHaproxy();
    haproxy.apply({ line: 'set server standby/standby1 state drain', kind: 'action' });
    expect(linesTo(desiredOf(view()), haproxy)).toEqual(['set server standby/standby1 state ready']);
  });

  it('takes two spellings of an IPv6 address for one', () => {
    const six = (host: string) => desiredOf(view({ master: held(masterValue(0, { host })) }));
    const haproxy = settledHaproxy();
    apply(six('fd00::1'), haproxy);
    expect(linesTo(six('fd00:0:0:0:0:0:0:1'), haproxy)).toEqual([]);
  });

  it('names the servers that this HAProxy does not have', () => {
    const desired = desiredOf(view());
    expect(missingServers(desired, new ModelHaproxy(['master/master0', 'standby/standby1']).now())).toEqual([
      'HAProxy has no server replication/replication0',
      'HAProxy has no server standby/standby2',
    ]);
    expect(missingServers(desired, settledHaproxy().now())).toEqual([]);
  });
});

const anyRole = fc.constantFrom<Role | null>('Master', 'Replica', 'DeadMaster', null);
const anyPhase = fc.constantFrom<Phase>('waiting', 'promoting', 'running', 'draining');
const anyMaster = fc.oneof(
  fc.constant<ClusterView['master']>({ told: false }),
  fc
    .record({
      ordinal: fc.nat(3),
      phase: anyPhase,
      released: fc.boolean(),
      successor: fc.constantFrom(null, 'pg-1'),
      session: fc.option(fc.constantFrom('s1', 's2')),
      port: fc.constantFrom(5432, 5433),
    })
    .map(({ ordinal, session, ...value }) => held(masterValue(ordinal, value), session)),
);
const anyView: fc.Arbitrary<ClusterView> = fc
  .record({
    master: anyMaster,
    instances: fc.option(fc.subarray([0, 1, 2, 3])),
    roles: fc.array(fc.tuple(fc.nat(3), anyRole)),
    port: fc.constantFrom(5432, 5433),
  })
  .map(({ master, instances, roles, port }) => ({
    master,
    instances:
      instances === null
        ? { told: false }
        : { told: true, value: instances.map((ordinal) => instance(ordinal, { port })) },
    roles: new Map(roles.map(([ordinal, role]) => [`pg-${ordinal}`, role])),
  }));

const addressesOf = (desired: Desired): Map<string, string> =>
  new Map(
    SERVERS.flatMap((path) => {
      const [backend = '', server = ''] = path.split('/');
      const wish = wishFor(desired, backend, server);
      return wish.kind === 'serve' ? [[path, `${wish.target.host}:${wish.target.port}`]] : [];
    }),
  );

/** Where sessions may go on that stand already. */
const drainedTo = (desired: Desired, path: string): string | null => {
  const [backend = '', server = ''] = path.split('/');
  const wish = wishFor(desired, backend, server);
  return wish.kind === 'drain' ? `${wish.target.host}:${wish.target.port}` : null;
};

/** The Master of a view is about to leave. */
function handingOver(of: ClusterView): ClusterView {
  const { master } = of;
  if (!master.told || master.value.value === null) return of;
  const value = { ...master.value.value, phase: 'draining', released: false, successor: 'pg-1' } as const;
  return { ...of, master: { told: true, value: { ...master.value, value } } };
}

/** As an interrupted or a finished hold leaves it: see `hold-plug.ts`. */
function plugIn(haproxy: ModelHaproxy, commands = 5): void {
  const lines = ['state maint', 'addr 127.0.0.1 port 7', 'weight 0', 'state ready', 'weight 1'];
  for (const line of lines.slice(0, commands))
    haproxy.apply({ line: `set server master/hold ${line}`, kind: 'action' });
}

const isLeft = (desired: Desired, path: string): boolean => {
  const [backend = '', server = ''] = path.split('/');
  return wishFor(desired, backend, server).kind === 'leave';
};

describe('difference, whatever came before', () => {
  it('ends the same when interrupted after any command, with clients coming in and HAProxy restarting', () => {
    const counts = { left: 0, moved: 0, drained: 0 };
    fc.assert(
      fc.property(
        fc.array(anyView, { maxLength: 3 }),
        anyView,
        fc.nat(40),
        fc.boolean(),
        fc.nat(5),
        (before, other, count, restarts, plugged) => {
          // Half of them hand over what stood before.
          const last = count % 2 === 0 ? handingOver(before.at(-1) ?? view()) : other;
          const haproxy = new ModelHaproxy(SERVERS);
          plugIn(haproxy, plugged);
          for (const earlier of before) {
            apply(desiredOf(earlier), haproxy);
            haproxy.connectClients();
          }
          const desired = desiredOf(last);
          apply(desired, haproxy, count);
          haproxy.connectClients();
          if (restarts) haproxy.restart();
          apply(desired, haproxy);
          expect(linesTo(desired, haproxy)).toEqual([]);
          const serving = addressesOf(desired);
          for (const server of haproxy.servers) {
            const path = `${server.backend}/${server.server}`;
            if (isLeft(desired, path)) {
              counts.left += 1;
              continue;
            }
            const drained = drainedTo(desired, path);
            if (drained !== null && server.isDraining) {
              counts.drained += 1;
              expect([path, server.address]).toEqual([path, drained]);
              expect(server.sessions.filter((address) => address !== drained)).toEqual([]);
              continue;
            }
            counts.moved += serving.has(path) ? 1 : 0;
            expect([path, server.isResting ? null : server.address]).toEqual([path, serving.get(path) ?? null]);
            expect(server.sessions.filter((address) => address !== serving.get(path))).toEqual([]);
          }
        },
      ),
      { numRuns: 500 },
    );
    expect(counts.left).toBeGreaterThan(0);
    expect(counts.moved).toBeGreaterThan(0);
    expect(counts.drained).toBeGreaterThan(0);
  });

  it('never takes a connection to an address that neither the old nor the new state leads to', () => {
    fc.assert(
      fc.property(anyView, anyView, fc.nat(40), (before, after, count) => {
        const haproxy = new ModelHaproxy(SERVERS);
        const old = desiredOf(before);
        apply(old, haproxy);
        const desired = desiredOf(after);
        apply(desired, haproxy, count);
        haproxy.connectClients();
        const allowed = [addressesOf(old), addressesOf(desired)];
        for (const { backend, server, sessions } of haproxy.servers) {
          const path = `${backend}/${server}`;
          for (const address of sessions) expect(allowed.map((addresses) => addresses.get(path))).toContain(address);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is right from a state that is not the one it was made for', () => {
    fc.assert(
      fc.property(anyView, anyView, anyView, (seen, actual, wished) => {
        const haproxy = new ModelHaproxy(SERVERS);
        apply(desiredOf(seen), haproxy);
        const desired = desiredOf(wished);
        const stale = difference(desired, haproxy.now(), FRESH);
        // Somebody else was there in between.
        apply(desiredOf(actual), haproxy);
        haproxy.connectClients();
        for (const { server, commands } of stale.filter(({ wish }) => wish.kind === 'serve')) {
          commands.forEach((command) => haproxy.apply(command));
          const is = haproxy.servers.find((one) => one.backend === server.backend && one.server === server.server);
          if (commands.some(({ line }) => line.includes(' addr '))) expect(is?.sessions).toEqual([]);
        }
        apply(desired, haproxy);
        expect(linesTo(desired, haproxy)).toEqual([]);
      }),
    );
  });
});
