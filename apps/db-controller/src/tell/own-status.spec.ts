import type { NodeStatus } from '@ha-postgres/cluster-state';
import { address } from '../../test/fixture/values';
import { endWorlds, world, type World } from '../../test/fixture/world';
import { OwnStatus } from './own-status';

afterEach(endWorlds);

const status = (change: Partial<NodeStatus> = {}): NodeStatus => ({
  ...address('b'),
  ...{
    role: 'Replica',
    rule: '',
    term: 0,
    dataTerm: 5,
    timeline: 1,
    lsn: '0/5000000',
    inRecovery: true,
    streaming: true,
  },
  ...{ lagBytes: 0, postgresAlive: true, runnerPhase: 'running', takeover: { able: true, why: '' } },
  ...{ tags: { noFailover: false, failoverPriority: 0 }, lastError: null, incarnation: 'other' },
  ...change,
});

/** An own status of node `b`; what role-server at the other's address says; and how long ago this controller began. */
function owned(says: NodeStatus | null = null, ageMs = 0) {
  const w = world();
  let forgotten = 0;
  const asked: string[] = [];
  const peers = {
    ...w.parts.peers,
    statusOf: ({ host }: { host: string }) => {
      asked.push(host);
      return Promise.resolve(says);
    },
  };
  const parts = {
    ...w.parts,
    startedAt: w.parts.startedAt - ageMs,
    peers: peers as unknown as World['parts']['peers'],
  };
  const own = new OwnStatus(parts, 'mine', () => void (forgotten += 1));
  const inConsul = () => w.consul.store.get(w.parts.keys.status('b'))?.value ?? null;
  return { w, own, asked, inConsul, forgotten: () => forgotten };
}

const text = (change: Partial<NodeStatus> = {}) => JSON.stringify(status({ incarnation: 'mine', ...change }));

describe('a controller that starts', () => {
  it('takes a name that nobody has', async () => {
    const { w, own, inConsul } = owned();
    w.parts.facts.nameInDoubt = true;
    await own.write(text());
    expect(w.parts.facts.nameInDoubt).toBe(false);
    expect(inConsul()).toContain('mine');
  });

  it('takes over what its predecessor at the same address wrote, without asking: the node’s lock says that it ended', async () => {
    const { w, own, asked, inConsul } = owned(status());
    w.set(w.parts.keys.status('b'), status());
    await own.write(text());
    expect(asked).toEqual([]);
    expect(inConsul()).toContain('mine');
  });

  it('refuses a name whose owner answers at another address, and writes nothing', async () => {
    const elsewhere = status({ host: 'elsewhere.local' });
    const { w, own, inConsul } = owned(elsewhere);
    w.parts.facts.nameInDoubt = true;
    w.set(w.parts.keys.status('b'), elsewhere);
    await expect(own.write(text())).rejects.toMatchObject({ code: 'HAPG_NODE_NAME_TAKEN' });
    expect(inConsul()).toContain('elsewhere');
    expect(w.parts.facts.nameInDoubt).toBe(true);
  });

  it.each([
    ['does not answer there', null],
    ['is another node by now', status({ node: 'x', host: 'elsewhere.local' })],
    ['is this very controller, which has moved', status({ host: 'elsewhere.local', incarnation: 'mine' })],
  ])('takes a name whose owner %s', async (_, says) => {
    const { w, own, inConsul } = owned(says);
    w.set(w.parts.keys.status('b'), status({ host: 'elsewhere.local' }));
    await own.write(text());
    expect(inConsul()).toContain('mine');
  });

  it('takes over what nobody can read', async () => {
    const { w, own, inConsul } = owned();
    w.set(w.parts.keys.status('b'), 'garbage');
    await own.write(text());
    expect(inConsul()).toContain('mine');
  });
});

describe('a write of the process before this one that arrives late', () => {
  it('is written over: it ends nobody', async () => {
    const { w, own, inConsul } = owned();
    w.set(w.parts.keys.status('b'), status());
    await own.claim();
    w.set(w.parts.keys.status('b'), status({ lsn: '0/6000000' }));
    await expect(own.write(text())).rejects.toThrow('not as written last');
    await own.write(text());
    expect(w.failures).toEqual([]);
    expect(inConsul()).toContain('mine');
  });

  it.each([
    ['written after this one was answered', async (own: OwnStatus) => own.write(text())],
    [
      'written after one of this process that was not answered',
      async (own: OwnStatus, w: World) => {
        await own.claim();
        w.set(w.parts.keys.status('b'), text());
        await expect(own.write(text())).rejects.toThrow();
      },
    ],
  ])('is none where it was %s: another controller with the same address lives', async (_, first) => {
    const { w, own } = owned();
    w.set(w.parts.keys.status('b'), status());
    await first(own, w);
    w.set(w.parts.keys.status('b'), status({ lsn: '0/7000000' }));
    await expect(own.write(text())).rejects.toThrow('not as written last');
    expect(w.failures).toMatchObject([{ code: 'HAPG_NODE_NAME_TAKEN' }]);
  });
});

it('what an old snapshot of Consul tells is written over: it ends nobody', async () => {
  const { w, own, inConsul } = owned();
  w.set(w.parts.keys.status('b'), status());
  const snapshot = w.consul.store.snapshot();
  await own.write(text());
  w.consul.restore(snapshot);
  await expect(own.write(text({ lsn: '0/6000000' }))).rejects.toThrow('not as written last');
  await own.write(text({ lsn: '0/6000000' }));
  expect(w.failures).toEqual([]);
  expect(inConsul()).toContain('mine');
});

describe('two controllers of one name', () => {
  it('cannot overwrite each other unnoticed: the one that came later ends, and says which name', async () => {
    const { w, own, inConsul } = owned();
    await own.write(text());
    w.set(w.parts.keys.status('b'), status({ host: 'elsewhere.local' }));
    await expect(own.write(text({ lsn: '0/6000000' }))).rejects.toThrow('not as written last');
    expect(w.failures).toMatchObject([
      { code: 'HAPG_NODE_NAME_TAKEN', message: expect.stringContaining('b at elsewhere.local') as string },
    ]);
    expect(inConsul()).toContain('elsewhere');
  });

  it('the one that was there first says it, and takes its key back', async () => {
    const { w, own, inConsul } = owned(null, 60_000);
    await own.write(text());
    w.set(w.parts.keys.status('b'), status({ host: 'elsewhere.local' }));
    await expect(own.write(text())).rejects.toThrow();
    await own.write(text());
    expect(w.failures).toEqual([]);
    expect(w.log.of('node.name-taken')).toHaveLength(1);
    expect(inConsul()).toContain('mine');
  });
});

describe('what was written', () => {
  it('and not answered is its own', async () => {
    const { w, own, inConsul } = owned();
    await own.write(text());
    w.set(w.parts.keys.status('b'), text({ lsn: '0/6000000' }));
    await expect(own.write(text({ lsn: '0/7000000' }))).rejects.toThrow();
    await own.write(text({ lsn: '0/7000000' }));
    expect(w.failures).toEqual([]);
    expect(inConsul()).toContain('0/7000000');
  });

  it('and forgotten by Consul is told anew, with all that was told beside it', async () => {
    const { w, own, forgotten, inConsul } = owned();
    await own.write(text());
    w.write({ verb: 'delete', key: w.parts.keys.status('b') });
    await expect(own.write(text({ lsn: '0/6000000' }))).rejects.toThrow();
    expect(forgotten()).toBe(1);
    await own.write(text());
    expect(inConsul()).toContain('mine');
  });

  it('is looked at now and then, also where nothing changed', async () => {
    const { w, own, forgotten } = owned();
    await own.write(text());
    w.write({ verb: 'delete', key: w.parts.keys.status('b') });
    await own.look();
    expect(forgotten()).toBe(0);
    const now = w.parts.clock.now.bind(w.parts.clock);
    jest.spyOn(w.parts.clock, 'now').mockImplementation(() => now() + 2000);
    await own.look();
    expect(forgotten()).toBe(1);
  });
});
