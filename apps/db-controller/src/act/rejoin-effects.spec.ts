import type { Divergence, GivenUp } from '@ha-postgres/cluster-state';
import { runnerReport } from '../../test/fixture/values';
import { endWorlds, world, type World } from '../../test/fixture/world';
import { until } from '../../test/fixture/clock';
import { RejoinLeaveWatch } from '../observe/rejoin-leave';
import { rejoinEffects } from './rejoin-effects';

const watches: RejoinLeaveWatch[] = [];
afterEach(() => {
  for (const watch of watches.splice(0)) watch.stop();
  endWorlds();
});

/** Node `b` led term 5; another node ran as Master after it. */
function deadMaster(): World {
  const w = world();
  w.parts.disk.update({ dataTerm: 5, ledTerm: 5, deadMaster: true });
  return w;
}

/** An administrator has written the key, and the controller has seen it. */
async function allowed(w: World, id = '1', gives?: GivenUp): Promise<void> {
  const watch = new RejoinLeaveWatch(w.parts);
  watches.push(watch);
  w.set(w.parts.keys.rejoin('b'), { id, by: 'test', ...(gives === undefined ? {} : { gives }) });
  watch.start();
  await until('it has been read', () => w.parts.facts.rejoinLeave !== null);
}

const finish = (w: World, term = 6) => rejoinEffects(w.parts).finishRejoin({ type: 'finishRejoin', term });

describe('a node that must rejoin', () => {
  it('remembers it across restarts', async () => {
    const w = world();
    w.parts.disk.update({ dataTerm: 5 });
    await rejoinEffects(w.parts).recordRejoining({ type: 'recordRejoining', term: 6 });
    expect(w.diskAgain().record).toMatchObject({ rejoining: 6, dataTerm: 5 });
    await rejoinEffects(w.parts).recordDeadMaster({ type: 'recordDeadMaster' });
    expect(w.diskAgain().record.deadMaster).toBe(true);
  });

  it('has data of its new Master’s term once it has rejoined, and nothing is held against it', async () => {
    const w = deadMaster();
    w.parts.disk.update({ rejoining: 6 });
    await finish(w);
    expect(w.diskAgain().record).toMatchObject({ dataTerm: 6, ledTerm: null, deadMaster: false, rejoining: null });
    expect(w.log.of('rejoin.finished')).toMatchObject([{ term: 6, dataTerm: 5, deadMaster: true }]);
  });

  it('need not, where an administrator wants its data as it is: what it led it has led still', async () => {
    const w = deadMaster();
    w.parts.disk.update({ rejoining: 6 });
    const { dataTerm, ledTerm } = w.diskAgain().record;
    await rejoinEffects(w.parts).readmitData({ type: 'readmitData' });
    expect(w.diskAgain().record).toMatchObject({ deadMaster: false, rejoining: null, dataTerm, ledTerm });
  });

  it('knows nothing of its data once that is emptied', async () => {
    const w = deadMaster();
    w.parts.disk.update({ rejoining: 6 });
    await rejoinEffects(w.parts).forgetData({ type: 'forgetData' });
    expect(w.diskAgain().record).toMatchObject({ dataTerm: 0, ledTerm: null, deadMaster: false, rejoining: null });
  });
});

describe('the leave to lose commits', () => {
  it('is what an administrator wrote', async () => {
    const w = deadMaster();
    expect(w.observation().rejoinAllowed).toBe(false);
    await allowed(w);
    expect(w.observation().rejoinAllowed).toBe(true);
    expect(w.log.of('rejoin.allowed')).toHaveLength(1);
  });

  it('is for what the node held when it was given, and for no more', async () => {
    const w = deadMaster();
    const gives = { fromLsn: '0/5000000', toLsn: '0/5000200', commits: 2, transactions: [740, 741] };
    const found = { ...gives, term: 6, relations: [], keptAt: '/kept', why: null };
    const holds = (divergence: Divergence | null) => {
      w.parts.facts.runner = { known: true, value: { ...runnerReport(), divergence }, seenAt: 0 };
      return w.observation().rejoinAllowed;
    };
    await allowed(w, '1', gives);
    // Not looked at yet, since the runner was started anew.
    expect(holds(null)).toBe(false);
    // Compared with the next Master: it is the same WAL still.
    expect([holds(found), holds({ ...found, term: 7 })]).toEqual([true, true]);
    for (const more of [{ commits: 3 }, { toLsn: '0/5000300' }, { fromLsn: null }, { transactions: [740, 742] }])
      expect(holds({ ...found, ...more })).toBe(false);
  });

  it('serves once, and is then removed', async () => {
    const w = deadMaster();
    await allowed(w);
    await finish(w);
    expect(w.observation().rejoinAllowed).toBe(false);
    expect(w.consul.store.get(w.parts.keys.rejoin('b'))).toBeNull();
  });

  it('is used up as well when the data that it was given for is emptied', async () => {
    const w = deadMaster();
    await allowed(w);
    await rejoinEffects(w.parts).forgetData({ type: 'forgetData' });
    expect(w.consul.store.get(w.parts.keys.rejoin('b'))).toBeNull();
    expect(w.observation().rejoinAllowed).toBe(false);
    expect(w.parts.disk.usedRejoin).toBe(w.diskAgain().usedRejoin);
    expect(w.parts.disk.usedRejoin).not.toBeNull();
  });

  it('that has served does not serve again, also where it could not be removed', async () => {
    const w = deadMaster();
    await allowed(w);
    w.fate = () => ({ toServerMs: null, toClientMs: null });
    await finish(w);
    expect(w.consul.store.get(w.parts.keys.rejoin('b'))).not.toBeNull();
    w.parts.disk.update({ deadMaster: true });
    const watch = new RejoinLeaveWatch(w.parts);
    watches.push(watch);
    let reads = 0;
    w.fate = ({ kind }) => {
      if (kind === 'kvGet') reads += 1;
      return { toServerMs: 0, toClientMs: 0 };
    };
    watch.start();
    await until('it has been read twice', () => reads >= 2);
    expect(w.observation().rejoinAllowed).toBe(false);
  });

  it('is not looked for while the node need not rejoin', async () => {
    const w = world();
    const watch = new RejoinLeaveWatch(w.parts);
    watches.push(watch);
    w.set(w.parts.keys.rejoin('b'), { id: '1', by: 'test' });
    watch.start();
    await new Promise((resolve) => setImmediate(resolve));
    expect(w.observation().rejoinAllowed).toBe(false);
  });
});
