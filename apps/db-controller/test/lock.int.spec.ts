import type { MasterValue, NodeStatus } from '@ha-postgres/cluster-state';
import { ConsulClient, type KvEntry } from '@ha-postgres/consul-election';
import { silentLog } from '@ha-postgres/service-kit';
import { lockEffects, resumeHold } from '../src/act/lock-effects';
import { runningEffects } from '../src/act/running-effects';
import { Registration } from '../src/tell/registration';
import { until } from './fixture/clock';
import { ConsulServer } from './fixture/consul-server';
import { standbyReply } from './fixture/postgres';
import { told } from './fixture/told';
import { address, masterValue } from './fixture/values';
import { endWorlds, realWorld, type World } from './fixture/world';

let server: ConsulServer;
let client: ConsulClient;
let cluster = 0;
const nodes = ['a', 'b', 'c'];

beforeAll(async () => {
  server = await ConsulServer.start();
  client = new ConsulClient({ address: server.address, requestTimeoutMs: 10_000 }, { log: silentLog });
});
afterEach(endWorlds);
afterAll(async () => {
  client.close();
  await server.end();
});

/** The nodes of a new cluster, whose Master `a` of term 5 has released the lock at the end of its WAL. */
async function candidates(...flags: string[]): Promise<World[]> {
  cluster += 1;
  const worlds = nodes.map((node) => realWorld(client, node, `--consul-prefix=test/${cluster}`, ...flags));
  const [first] = worlds;
  if (first === undefined) throw new Error('no node');
  const { keys } = first.parts;
  await client.kvPut(keys.members, JSON.stringify({ members: nodes.map(address) }));
  await client.kvPut(keys.master, JSON.stringify(masterValue({ phase: 'draining', released: true })));
  for (const w of worlds) {
    w.postgres.reply = standbyReply;
    w.parts.disk.update({ dataTerm: 5 });
    await w.look();
  }
  return worlds;
}

async function entryOf({ parts }: World): Promise<KvEntry | null> {
  return (await client.kvGet(parts.keys.master, { consistency: 'consistent' })).entry;
}

async function acquire(w: World, takeOver = false): Promise<void> {
  const { master } = w.parts.consul;
  const entry = master.known ? master.value.entry : null;
  const term = (entry?.value?.term ?? 0) + 1;
  await lockEffects(w.parts).acquire({ type: 'acquire', term, decidedOn: entry?.modifyIndex ?? 0, takeOver });
}

const holders = (worlds: readonly World[]) => worlds.filter(({ parts }) => parts.facts.hold !== null);
const valueOf = async (w: World) => JSON.parse((await entryOf(w))?.value ?? '') as MasterValue;

describe('the lock in a real Consul', () => {
  it('goes to one of all who want it at once, and the others keep no session', async () => {
    const worlds = await candidates();
    await Promise.all(worlds.map((w) => acquire(w)));
    expect(holders(worlds)).toHaveLength(1);
    const [w] = holders(worlds) as [World];
    expect((await entryOf(w))?.session).toBe(w.parts.facts.hold?.session.id);
    for (const other of worlds.filter((one) => one !== w)) {
      expect(other.parts.disk.hold).toBeNull();
      expect(other.parts.facts.acquiring).toBe(false);
    }
  });

  it('is kept by beats that everybody sees, until it is released with a last value', async () => {
    const [a, b] = (await candidates('--heartbeat-interval=100ms')) as [World, World];
    await acquire(a);
    b.parts.consul.start();
    await until(
      'b sees beats',
      () => (b.parts.consul.master.known && b.parts.consul.master.value.entry?.value?.beat) === 3,
    );
    await runningEffects(a.parts).markRunning({ type: 'markRunning', term: 6 });
    await until('b sees it run', () => b.parts.consul.masterSeenRunningAt !== null);
    const end = { released: true, successor: 'b', lsn: null, lsnExact: true };
    await lockEffects(a.parts).release({ type: 'release', ...end });
    expect(await entryOf(a)).toMatchObject({ session: null });
    expect(await valueOf(a)).toMatchObject({ term: 6, phase: 'draining', released: true, successor: 'b' });
    expect(a.parts.facts.hold).toBeNull();
  });

  it('is taken over from one whose lease ran out, who hears that it is lost with its next beat', async () => {
    const [a, b] = (await candidates('--heartbeat-interval=100ms')) as [World, World];
    await acquire(a);
    const session = a.parts.facts.hold?.session.id;
    a.parts.facts.hold?.abandon();
    await b.look();
    await acquire(b, true);
    expect((await entryOf(b))?.session).toBe(b.parts.facts.hold?.session.id);
    expect(b.parts.facts.hold?.view.waitUntil).toBeGreaterThan(0);
    expect(await valueOf(b)).toMatchObject({ node: 'b', term: 7 });
    await a.parts.facts.hold?.write([]);
    expect(session).not.toBe(b.parts.facts.hold?.session.id);
    const outcome = await a.parts.facts.hold?.release({ released: true, successor: null, lsn: null, lsnExact: false });
    expect(outcome).toBe('refused');
    expect(a.parts.facts.hold?.view.lost).toBe(true);
    expect(await valueOf(b)).toMatchObject({ node: 'b', term: 7 });
  });

  it('goes on in the next process of its node, and only there', async () => {
    const [a] = (await candidates('--heartbeat-interval=100ms')) as [World];
    await acquire(a);
    const { session } = a.parts.facts.hold ?? {};
    a.parts.facts.hold?.stop();
    a.parts.facts.hold = null;
    await resumeHold(a.parts);
    expect(a.parts.facts.hold).toMatchObject({ session: { id: session?.id } });
    expect(await valueOf(a)).toMatchObject({ node: 'a', term: 6 });
  });

  it('that another took meanwhile is not gone on with', async () => {
    const [a, b] = (await candidates()) as [World, World];
    await acquire(a);
    a.parts.facts.hold?.stop();
    a.parts.facts.hold = null;
    await b.look();
    await acquire(b, true);
    await resumeHold(a.parts);
    expect(a.parts.facts).toMatchObject({ hold: null, resuming: false });
    expect(await valueOf(b)).toMatchObject({ node: 'b' });
    expect((await entryOf(b))?.session).toBe(b.parts.facts.hold?.session.id);
  });

  it('is not acquired by a node that the list of members does not have any more', async () => {
    const [a] = (await candidates()) as [World];
    await client.kvPut(a.parts.keys.members, JSON.stringify({ members: [address('b')] }));
    await acquire(a);
    expect(a.parts.facts.hold).toBeNull();
    expect((await entryOf(a))?.session).toBeNull();
    expect(a.parts.consul.members).toMatchObject({ value: { members: [{ node: 'b' }] } });
  });
});

const status = (change: Partial<NodeStatus> = {}) =>
  told({
    ...address('b'),
    role: 'Replica',
    rule: '',
    term: 0,
    dataTerm: 5,
    timeline: 1,
    lsn: '0/1',
    inRecovery: true,
    streaming: true,
    lagBytes: 0,
    postgresAlive: true,
    runnerPhase: 'running',
    takeover: { able: true, why: '' },
    tags: { noFailover: false, failoverPriority: 0 },
    lastError: null,
    ...change,
  });

describe('the service in a real Consul', () => {
  const passing = async () => (await client.serviceHealth('postgres', { passing: true })).services;

  async function untilServed(what: string, holds: (tags: readonly string[] | null) => boolean): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      const [service] = await passing();
      if (holds(service?.tags ?? null)) return;
      if (tries > 300) throw new Error(`waited in vain until ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Key and service are written one after the other. */
  async function untilWritten(key: string, holds: (value: string) => boolean): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      const { entry } = await client.kvGet(key);
      if (entry !== null && holds(entry.value)) return;
      if (tries > 300) throw new Error(`waited in vain for ${key}, which is ${entry?.value ?? 'absent'}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  it('passes with the tag of its role, fails with its checks, and comes back after the agent lost it', async () => {
    const [, b] = (await candidates()) as [World, World];
    const registration = new Registration(b.parts);
    registration.start();
    try {
      registration.tell(status());
      await untilServed('it is a replica', (tags) => tags?.includes('replica') === true);
      await untilWritten(b.parts.keys.role('b'), (value) => value === 'Replica');
      registration.tell(status({ role: 'Master', inRecovery: false }));
      await untilServed('it is the master', (tags) => tags?.includes('master') === true);
      registration.tell(status({ role: 'DeadMaster', postgresAlive: false, inRecovery: null }));
      await untilServed('it is served no more', (tags) => tags === null);
      await client.deregisterService('postgres-b');
      registration.tell(status());
      await untilServed('it is back', (tags) => tags?.includes('replica') === true);
      await untilWritten(b.parts.keys.status('b'), (value) => (JSON.parse(value) as NodeStatus).role === 'Replica');
    } finally {
      registration.stop();
    }
  });
});
