import { describe, expect, it } from '@jest/globals';
import { NoAnswerError } from './errors';
import { silentLog } from './log';
import { firstAnswer } from './paths';
import { Session } from './session';
import { FakeConsul, VirtualClock, type FakeLink } from './testing/index';

function world(link: FakeLink = {}) {
  const clock = new VirtualClock();
  const consul = new FakeConsul(clock);
  return { clock, consul, client: consul.client(link), log: silentLog };
}

async function made(of: ReturnType<typeof world>, onGone: () => void = () => undefined): Promise<Session> {
  const making = Session.create({ ...of, name: 't', onGone });
  await of.clock.advance(10);
  return making;
}

describe('a session', () => {
  it('lives as long as it is renewed, and ends when it is not', async () => {
    const all = world();
    const session = await made(all);
    await all.clock.advance(120_000);
    expect(all.consul.sessionIds()).toEqual([session.id]);
    session.stop();
    await all.clock.advance(25_000);
    expect(all.consul.sessionIds()).toEqual([]);
  });

  it('is renewed over the servers while the agent is away', async () => {
    let agentAway = false;
    const all = world({
      servers: ['s1'],
      fate: ({ via }) =>
        agentAway && via === 'agent' ? { toServerMs: null, toClientMs: null } : { toServerMs: 1, toClientMs: 1 },
    });
    const session = await made(all);
    agentAway = true;
    await all.clock.advance(120_000);
    expect(all.consul.sessionIds()).toEqual([session.id]);
    session.stop();
  });

  it('says once that it is gone, when Consul says so, and not because of errors', async () => {
    let broken = false;
    const all = world({
      fate: () => (broken ? { toServerMs: null, toClientMs: null } : { toServerMs: 1, toClientMs: 1 }),
    });
    let gone = 0;
    const session = await made(all, () => (gone += 1));
    broken = true;
    await all.clock.advance(60_000);
    expect([session.gone, gone]).toEqual([false, 0]);
    broken = false;
    await all.clock.advance(10_000);
    expect([session.gone, gone]).toEqual([true, 1]);
  });

  it('goes on with the session of an earlier process', async () => {
    const all = world();
    const before = await made(all);
    before.stop();
    const session = Session.adopt(before.id, { ...all, name: 't' });
    await all.clock.advance(120_000);
    expect(all.consul.sessionIds()).toEqual([session.id]);
    const destroying = session.destroy();
    await all.clock.advance(10);
    expect([await destroying, all.consul.sessionIds()]).toEqual([true, []]);
  });

  it('says when nobody heard that it is to be destroyed', async () => {
    let broken = false;
    const all = world({
      fate: () => (broken ? { toServerMs: null, toClientMs: null } : { toServerMs: 1, toClientMs: 1 }),
    });
    const session = await made(all);
    broken = true;
    const destroying = session.destroy();
    await all.clock.advance(5000);
    expect(await destroying).toBe(false);
  });
});

describe('the first answer over several paths', () => {
  it('is the failure of the last path when all failed', async () => {
    const clock = new VirtualClock();
    const asked: string[] = [];
    const attempt = (via: string): Promise<never> => {
      asked.push(via);
      return Promise.reject(new NoAnswerError('x', via));
    };
    const answer = firstAnswer({ paths: ['agent', 's1', 's2', 's3', 's4'], hedgeAfterMs: 300, clock }, attempt);
    await expect(answer).rejects.toThrow('s3');
    expect(asked).toEqual(['agent', 's1', 's2', 's3']);
  });

  it('asks no other path once the first has answered', async () => {
    const clock = new VirtualClock();
    const asked: string[] = [];
    const answer = firstAnswer(
      { paths: ['agent', 's1'], hedgeAfterMs: 300, clock },
      (via) => (asked.push(via), Promise.resolve(via)),
    );
    await clock.advance(1000);
    expect([await answer, asked]).toEqual(['agent', ['agent']]);
  });
});
