import { until } from '../../test/fixture/clock';
import { address } from '../../test/fixture/values';
import { endWorlds, world, type World } from '../../test/fixture/world';
import { bootstrapEffects } from './bootstrap-effects';

afterEach(endWorlds);

const SYSTEM_ID = '7000000000000000001';

/** A Consul without a cluster, as node `b` sees it. */
async function nothingYet(): Promise<World> {
  const w = world('--heartbeat-interval=50ms');
  w.parts.consul.start();
  await until('it has been looked at', () => w.parts.consul.initialize.known && w.parts.consul.master.known);
  return w;
}

const claim = (w: World) => bootstrapEffects(w.parts).lockInitialize({ type: 'lockInitialize' });
const finish = (w: World) =>
  bootstrapEffects(w.parts).finishBootstrap({ type: 'finishBootstrap', systemId: SYSTEM_ID });
const at = (w: World, key: string) => w.consul.store.get(key);

describe('the creator of a cluster', () => {
  it('is who gets the lock on initialize', async () => {
    const w = await nothingYet();
    await claim(w);
    const { initialize } = w.parts.keys;
    expect(at(w, initialize)?.session).toBe(w.parts.facts.claim?.session.id);
    expect(JSON.parse(at(w, initialize)?.value ?? '')).toEqual({ node: 'b', systemId: null });
  });

  it('is nobody who comes second, and no session is left of it', async () => {
    const w = await nothingYet();
    const { initialize } = w.parts.keys;
    w.write({ verb: 'lock', key: initialize, value: '{"node":"a","systemId":null}', session: w.otherSession() });
    await claim(w);
    expect(w.parts.facts.claim).toBeNull();
    expect(at(w, initialize)?.session).toBe('other');
    expect(w.consul.sessionIds()).toEqual([]);
  });

  it('becomes the first Master in one transaction with the list of members', async () => {
    const w = await nothingYet();
    await claim(w);
    await finish(w);
    const { initialize, members, master } = w.parts.keys;
    expect(JSON.parse(at(w, initialize)?.value ?? '')).toEqual({ node: 'b', systemId: SYSTEM_ID });
    expect(at(w, initialize)?.session).toBeNull();
    expect(JSON.parse(at(w, members)?.value ?? '')).toEqual({ members: [address('b')] });
    expect(at(w, master)?.session).toBe(w.parts.facts.hold?.session.id);
    expect(w.parts.facts.hold?.view).toMatchObject({ term: 1, predecessor: null, last: null, phase: 'waiting' });
    expect(w.diskAgain().hold?.term).toBe(1);
    expect(w.diskAgain().record.highestTerm).toBe(1);
  });

  it('who lost the lock meanwhile writes nothing, and keeps nothing', async () => {
    const w = await nothingYet();
    await claim(w);
    w.consul.endSession(w.parts.facts.claim?.session.id ?? '');
    await finish(w);
    expect(at(w, w.parts.keys.master)).toBeNull();
    expect(at(w, w.parts.keys.members)).toBeNull();
    expect(w.parts.facts).toMatchObject({ hold: null, claim: null });
    expect(w.diskAgain().hold).toBeNull();
  });

  it('never takes the place of a cluster that is there', async () => {
    const w = await nothingYet();
    await claim(w);
    w.set(w.parts.keys.master, 'a cluster');
    await finish(w);
    expect(at(w, w.parts.keys.master)?.value).toBe('a cluster');
    expect(w.parts.facts.hold).toBeNull();
  });

  it('that is refused late leaves alone the claim that was made since', async () => {
    const w = await nothingYet();
    await claim(w);
    const commit = w.parts.client.transaction.bind(w.parts.client);
    let send = (): void => undefined;
    jest.spyOn(w.parts.client, 'transaction').mockImplementationOnce(async (operations) => {
      await new Promise<void>((resolve) => (send = resolve));
      return commit(operations);
    });
    const finishing = finish(w);
    w.consul.endSession(w.parts.facts.claim?.session.id ?? '');
    await until('the loss of the claim is known', () => w.parts.facts.claim === null);
    await w.look();
    await claim(w);
    const claimed = w.parts.facts.claim;
    send();
    await finishing;
    expect(w.log.of('bootstrap.refused')).toHaveLength(1);
    expect(w.parts.facts.claim).toBe(claimed);
    await w.look();
    await finish(w);
    expect(w.parts.facts.hold?.session).toBe(claimed?.session);
  });

  it('without an answer tries again, and if it was committed holds nothing: it takes its lock anew then', async () => {
    const w = await nothingYet();
    await claim(w);
    const commit = w.parts.client.transaction.bind(w.parts.client);
    jest.spyOn(w.parts.client, 'transaction').mockImplementationOnce(async (operations) => {
      await commit(operations);
      throw new Error('no answer');
    });
    await expect(finish(w)).rejects.toThrow('no answer');
    expect(w.parts.facts.hold).toBeNull();
    await finish(w);
    expect(at(w, w.parts.keys.master)?.session).toBeNull();
    expect(w.parts.facts).toMatchObject({ hold: null, claim: null });
    expect(w.diskAgain().hold).toBeNull();
  });
});
