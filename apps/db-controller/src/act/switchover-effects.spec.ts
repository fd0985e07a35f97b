import type { LbStatus, MasterValue, NodeStatus, SwitchoverState } from '@ha-postgres/cluster-state';
import { parseLsn } from '@ha-postgres/lsn';
import { until } from '../../test/fixture/clock';
import { standbyReply } from '../../test/fixture/postgres';
import { address, masterValue, standby } from '../../test/fixture/values';
import { endWorlds, world, type World } from '../../test/fixture/world';
import { lockEffects, resumeHold } from './lock-effects';
import { runningEffects } from './running-effects';
import { switchoverEffects } from './switchover-effects';

afterEach(endWorlds);

/** Node `b` runs as Master of term 6; `a` and `c` are the other members. */
async function running(change: Partial<MasterValue> = {}): Promise<World> {
  const w = world('--heartbeat-interval=50ms', '--unanswered-limit=50ms');
  const { parts, consul, postgres } = w;
  w.set(parts.keys.master, masterValue({ phase: 'draining', released: true, ...change }));
  w.set(parts.keys.members, { members: ['a', 'b', 'c'].map(address) });
  parts.disk.update({ dataTerm: 5 });
  await w.look();
  const decidedOn = consul.store.get(parts.keys.master)?.modifyIndex ?? 0;
  await lockEffects(parts).acquire({ type: 'acquire', term: 6, decidedOn, takeOver: false });
  postgres.sight = standby({ inRecovery: false, timeline: 2, lsn: parseLsn('0/5000100') });
  postgres.reply = (sql) => (sql.includes('replay') ? [{ fork: '0/5000060' }] : standbyReply(sql));
  await runningEffects(parts).markRunning({ type: 'markRunning', term: 6 });
  return w;
}

const valueOf = (w: World) => JSON.parse(w.consul.store.get(w.parts.keys.master)?.value ?? '') as MasterValue;
const drain = (w: World) =>
  switchoverEffects(w.parts).drain({ type: 'drain', id: 's1', successor: 'c', why: 'asked for' });
const release = (w: World, lsnExact = true) =>
  lockEffects(w.parts).release({
    type: 'release',
    released: true,
    successor: 'c',
    lsn: parseLsn('0/5000180'),
    lsnExact,
  });

function status(node: string, able: boolean, why: string): NodeStatus {
  return {
    ...address(node),
    ...{ role: 'Replica', rule: 'r', term: 0, dataTerm: 6, timeline: 2, lsn: null, inRecovery: true },
    ...{ streaming: true, lagBytes: 0, postgresAlive: true, runnerPhase: 'running', takeover: { able, why } },
    ...{ tags: { noFailover: false, failoverPriority: node === 'c' ? 3 : 0 }, lastError: null },
  };
}

const sender = (name: string, flushed: string) => ({
  ...{ pid: 1, name, streaming: true, priority: 0 },
  flushed: parseLsn(flushed),
});

describe('who could succeed', () => {
  it('is told by what the members say of themselves and by what goes to them', async () => {
    const w = await running();
    w.set(w.parts.keys.status('a'), status('a', false, 'tagged noFailover'));
    w.set(w.parts.keys.status('c'), status('c', true, 'healthy'));
    w.postgres.sight = { ...w.postgres.sight, senders: [sender('c', '0/50000F0')] };
    await switchoverEffects(w.parts).lookForSuccessors({ type: 'lookForSuccessors', id: 's1' });
    const deaf = { streaming: false, lagBytes: Number.MAX_SAFE_INTEGER, failoverPriority: 0 };
    expect(w.parts.facts.successors).toMatchObject({
      id: 's1',
      targets: [
        { node: 'a', able: false, why: 'tagged noFailover', ...deaf },
        { node: 'c', able: true, why: 'healthy', streaming: true, lagBytes: 16, failoverPriority: 3 },
      ],
    });
  });

  it('is looked at again for the same request, which remembers the first look', async () => {
    const w = await running();
    const look = async (id: string) => {
      await switchoverEffects(w.parts).lookForSuccessors({ type: 'lookForSuccessors', id });
      return w.parts.facts.successors;
    };
    const first = await look('s1');
    const again = await look('s1');
    expect(again?.firstAt).toBe(first?.firstAt);
    expect(again?.at).toBeGreaterThan(first?.at ?? Infinity);
    expect((await look('s2'))?.firstAt).toBeGreaterThanOrEqual(again?.at ?? Infinity);
  });

  it('is nobody who has told nothing', async () => {
    const w = await running();
    await switchoverEffects(w.parts).lookForSuccessors({ type: 'lookForSuccessors', id: 's1' });
    const why = 'it has not told its status';
    expect(w.parts.facts.successors?.targets).toMatchObject([
      { node: 'a', able: false, why },
      { node: 'c', able: false, why },
    ]);
  });
});

describe('a refusal', () => {
  it('is on disk, so that it is told once and for all', async () => {
    const w = await running();
    await switchoverEffects(w.parts).refuseSwitchover({ type: 'refuseSwitchover', id: 's1', why: 'nobody' });
    const told: SwitchoverState = { id: 's1', term: 6, state: 'refused', successor: null, why: 'nobody' };
    expect(w.diskAgain().record.switchover).toEqual(told);
  });

  it('takes the request away, so that the next Master does not answer it as well; and no other', async () => {
    const w = await running();
    const key = w.parts.keys.switchover;
    const asked = async (id: string) => {
      w.set(key, { id, from: 'b', to: null });
      w.parts.consul.watchRequests(true);
      await until('the request is seen', () => w.parts.consul.switchover?.value.id === id);
    };
    const refuse = (id: string) =>
      switchoverEffects(w.parts).refuseSwitchover({ type: 'refuseSwitchover', id, why: 'nobody' });
    await asked('s1');
    await refuse('s1');
    expect(w.consul.store.get(key)).toBeNull();
    await asked('s2');
    await refuse('s1');
    expect(w.consul.store.get(key)).not.toBeNull();
  });
});

describe('to drain', () => {
  it('is on disk and in the key, with the successor and the id', async () => {
    const w = await running();
    await drain(w);
    const told: SwitchoverState = { id: 's1', term: 6, state: 'draining', successor: 'c', why: 'asked for' };
    expect(w.diskAgain().record.switchover).toEqual(told);
    expect(w.diskAgain().hold).toMatchObject({ phase: 'draining', drain: { id: 's1', successor: 'c' } });
    expect(valueOf(w)).toMatchObject({ phase: 'draining', successor: 'c', switchover: 's1', released: false });
    expect(w.parts.facts.hold?.view.phase).toBe('draining');
    expect(w.parts.facts.drainedFor).toBe('s1');
  });

  it('goes on in a controller that is restarted', async () => {
    const w = await running();
    await drain(w);
    w.parts.facts.hold?.stop();
    w.parts.facts.hold = null;
    await resumeHold(w.parts);
    expect(w.parts.facts.hold).toMatchObject({ view: { phase: 'draining' } });
    const { beat } = valueOf(w);
    await until('it has beaten', () => valueOf(w).beat > beat);
    expect(valueOf(w)).toMatchObject({ phase: 'draining', successor: 'c', switchover: 's1' });
  });

  it('fails while Consul does not answer, and is known to be so no sooner', async () => {
    const w = await running();
    w.fate = ({ kind }) => ({ toServerMs: kind === 'transaction' ? null : 0, toClientMs: 0 });
    await expect(Promise.race([drain(w), new Promise((resolve) => setTimeout(resolve, 300, 'pending'))])).resolves.toBe(
      'pending',
    );
    expect(w.parts.facts.hold?.view.phase).toBe('running');
    expect(w.parts.facts.drainedFor).toBeNull();
  });
});

describe('load balancers', () => {
  const report = (w: World, name: string, over: Partial<LbStatus>) => {
    const said: LbStatus = { name, appliedIndex: 0, master: 'b', holding: false, standbys: [], ...over };
    const session = w.otherSession(name);
    w.write({ verb: 'lock', key: w.parts.keys.lbStatus(name), value: JSON.stringify(said), session });
  };
  const heldAll = (w: World) => w.log.of('switchover.clients-held').length === 1;
  const all = Number.MAX_SAFE_INTEGER;

  it('are waited for until they hold by the draining value or a later one', async () => {
    const w = await running();
    report(w, 'lb-0', { holding: true, appliedIndex: 1 });
    const draining = drain(w);
    await until('it drains', () => valueOf(w).phase === 'draining');
    expect(w.parts.facts.drainedFor).toBeNull();
    report(w, 'lb-0', { holding: true, appliedIndex: all });
    await draining;
    expect(heldAll(w)).toBe(true);
  });

  it('are not waited for if they are dead, never hold, or say nothing that can be read', async () => {
    const w = await running();
    report(w, 'dead', {});
    w.consul.endSession('dead');
    report(w, 'never', { canHold: false });
    w.write({ verb: 'lock', key: w.parts.keys.lbStatus('mad'), value: '{', session: w.otherSession('mad') });
    await drain(w);
    expect(heldAll(w)).toBe(true);
  });

  it('that do not hold in time are named, and the switchover goes on', async () => {
    const w = await running();
    report(w, 'lb-0', { holding: true, appliedIndex: all });
    report(w, 'slow', {});
    await drain(w);
    expect(w.log.of('switchover.clients-not-held')).toMatchObject([{ waitedFor: [w.parts.keys.lbStatus('slow')] }]);
    expect(w.parts.facts.drainedFor).toBe('s1');
  });
});

describe('the release of a switchover', () => {
  it('names the successor and the id, and this node remembers where its WAL ends', async () => {
    const w = await running();
    await drain(w);
    await release(w);
    expect(valueOf(w)).toMatchObject({
      ...{ phase: 'draining', released: true, successor: 'c', switchover: 's1' },
      ...{ lsn: '0/5000180', lsnExact: true },
    });
    expect(w.diskAgain().record).toMatchObject({
      cleanStop: { term: 6, lsn: parseLsn('0/5000180') },
      switchover: { id: 's1', state: 'released' },
    });
  });

  it('remembers no end that is not exact', async () => {
    const w = await running();
    await drain(w);
    await release(w, false);
    expect(w.diskAgain().record.cleanStop).toBeNull();
  });
});

describe('the history', () => {
  const asked = { switchover: 's0', phase: 'draining', released: true } as const;
  it.each([
    ['the successor that was promoted', { ...asked, successor: 'b' }, 'switchover s0'],
    ['another that took over', { ...asked, successor: 'c' }, 'switchover s0: c did not take over'],
    [
      'the old Master, taken back',
      { ...asked, ...address('b'), successor: 'c' },
      'switchover s0 rolled back: c did not take over',
    ],
  ])('names the switchover, for %s', async (_who, value, why) => {
    const w = await running(value);
    const { history } = w.parts.consul;
    expect(history.known && history.value.promotions.at(-1)).toMatchObject({ why, switchover: 's0' });
  });
});
