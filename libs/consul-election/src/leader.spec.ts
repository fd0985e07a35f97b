import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pause } from './clock';
import { defaultLeaseTimes as times } from './lease';
import { runWhileLeader } from './leader';
import { FakeConsul, VirtualClock, driftingClock, type FakeRequest, type Fate } from './testing/index';

const key = 'service/app/leader';

/** A small generator of chance that a seed replays (mulberry32). */
function chanceOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

interface Contender {
  readonly name: string;
  working: boolean;
  terms: number[];
  /** World time until which nothing of it reaches Consul. */
  cutOffUntil: number;
}

/** Three contenders for one key, with drifting clocks, over a network as bad as the seed says. */
class World {
  readonly clock = new VirtualClock();
  readonly consul = new FakeConsul(this.clock);
  readonly stop = new AbortController();
  readonly contenders: Contender[];
  readonly ended: Promise<unknown>;
  faulty = true;
  mostAtOnce = 0;
  private readonly chance: () => number;

  constructor(seed: number) {
    this.chance = chanceOf(seed);
    this.contenders = ['a', 'b', 'c'].map((name) => ({ name, working: false, terms: [], cutOffUntil: 0 }));
    this.ended = Promise.all(this.contenders.map((one) => this.live(one)));
  }

  look(): void {
    this.mostAtOnce = Math.max(this.mostAtOnce, this.contenders.filter((one) => one.working).length);
  }

  /** Some seconds of faults. */
  async suffer(rounds: number): Promise<void> {
    for (let round = 0; round < rounds; round += 1) {
      await this.clock.advance(this.chance() * 4000, () => this.look());
      const [victim] = [...this.contenders].sort(() => this.chance() - 0.5);
      if (victim !== undefined && this.chance() < 0.5) victim.cutOffUntil = this.clock.now() + this.chance() * 9000;
      const ids = this.consul.sessionIds();
      const id = ids[Math.floor(this.chance() * ids.length)];
      if (id !== undefined && this.chance() < 0.4) this.consul.endSession(id);
    }
  }

  heal(): void {
    this.faulty = false;
    this.contenders.forEach((one) => (one.cutOffUntil = 0));
  }

  private async live(one: Contender): Promise<void> {
    const clock = driftingClock(this.clock, 0.98 + this.chance() * 0.04, this.chance() * 1e6);
    const client = this.consul.client({
      clock,
      fate: (request) => this.fate(one, request),
      servers: this.chance() < 0.5 ? ['s1'] : [],
    });
    while (!this.stop.signal.aborted)
      await runWhileLeader({
        client,
        clock,
        key,
        name: one.name,
        times,
        signal: this.stop.signal,
        work: async ({ rightEnds, term }) => {
          one.working = true;
          one.terms.push(term);
          this.look();
          await pause(clock, this.chance() < 0.3 ? this.chance() * 3000 : 1e9, rightEnds);
          // It uses nearly all of the time it has for giving up.
          if (rightEnds.aborted) await pause(clock, times.fenceTimeMs * 0.95);
          one.working = false;
        },
      });
  }

  private fate(one: Contender, request: FakeRequest): Fate {
    if (!this.faulty) return { toServerMs: 1, toClientMs: 1 };
    if (this.clock.now() < one.cutOffUntil)
      return { toServerMs: this.chance() < 0.5 ? null : this.chance() * 8000, toClientMs: null };
    const delay = (): number => (this.chance() < 0.15 ? this.chance() * 5000 : this.chance() * 40);
    const lossy = request.kind === 'transaction' ? 0.1 : 0.05;
    return { toServerMs: this.chance() < lossy ? null : delay(), toClientMs: this.chance() < lossy ? null : delay() };
  }
}

describe('running while leader', () => {
  it('never lets two work at once, whatever the network does, and works again when it has healed', async () => {
    let held = 0;
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const world = new World(seed);
        await world.suffer(12);
        world.heal();
        const before = world.contenders.flatMap((one) => one.terms).length;
        const worksAgain = (): boolean =>
          world.contenders.some((one) => one.working) || world.contenders.flatMap((one) => one.terms).length > before;
        for (let second = 0; second < 60 && !worksAgain(); second += 1)
          await world.clock.advance(1000, () => world.look());
        expect(worksAgain()).toBe(true);
        world.stop.abort();
        await world.clock.advance(30_000, () => world.look());
        await world.ended;
        expect(world.mostAtOnce).toBe(1);
        const terms = world.contenders.flatMap((one) => one.terms);
        expect(new Set(terms).size).toBe(terms.length);
        held += terms.length;
      }),
      { numRuns: 25 },
    );
    // The property means nothing if hardly anybody ever led.
    expect(held).toBeGreaterThan(50);
  }, 60_000);

  it('hands over at once after a clean end, and waits out a lease that did not end so', async () => {
    const clock = new VirtualClock();
    const consul = new FakeConsul(clock);
    const starts: { readonly name: string; readonly at: number }[] = [];
    const run = (name: string, work: (rightEnds: AbortSignal) => Promise<void>) =>
      runWhileLeader({
        client: consul.client(),
        clock,
        key,
        name,
        times,
        work: ({ rightEnds }) => (starts.push({ name, at: clock.now() }), work(rightEnds)),
      });
    const first = run('first', () => pause(clock, 1000));
    await clock.advance(10);
    const second = run('second', async (rightEnds) => pause(clock, 1e9, rightEnds));
    await clock.advance(times.leaseDurationMs + times.driftMarginMs);
    expect(starts.map((one) => one.name)).toEqual(['first']);
    await clock.advance(1000);
    await first;
    expect(starts.map((one) => one.name)).toEqual(['first', 'second']);
    expect((starts[1]?.at ?? 0) - (starts[0]?.at ?? 0)).toBeLessThan(1100);

    const [session] = consul.sessionIds();
    consul.endSession(session ?? '');
    const lostAt = clock.now();
    const third = run('third', () => Promise.resolve());
    await clock.advance(15_000);
    await third;
    const next = starts.find((one) => one.at > lostAt);
    expect((next?.at ?? 0) - lostAt).toBeGreaterThanOrEqual(times.leaseDurationMs + times.driftMarginMs);
    void second;
  });

  it('waits for the lease of a holder before, when the one in between gave up at once', async () => {
    const clock = new VirtualClock();
    const consul = new FakeConsul(clock);
    const starts: { readonly name: string; readonly at: number }[] = [];
    const run = (name: string, signal?: AbortSignal) =>
      runWhileLeader({
        client: consul.client(),
        clock,
        key,
        name,
        times,
        ...(signal === undefined ? {} : { signal }),
        work: ({ rightEnds }) => (starts.push({ name, at: clock.now() }), pause(clock, 1e9, rightEnds)),
      });
    void run('old');
    await clock.advance(times.leaseDurationMs + times.driftMarginMs + 100);
    expect(starts.map((one) => one.name)).toEqual(['old']);
    // It wins at once, and gives up while the lease of the old one runs.
    const stop = new AbortController();
    const quick = run('quick', stop.signal);
    await clock.advance(100);
    const lostAt = clock.now();
    consul.endSession(consul.sessionIds()[0] ?? '');
    await clock.advance(5);
    expect(JSON.parse(consul.store.get(key)?.value ?? '')).toMatchObject({ name: 'quick', phase: 'waiting' });
    stop.abort();
    const next = run('next');
    await clock.advance(20);
    await quick;
    await clock.advance(20_000);
    expect(starts.map((one) => one.name)).not.toContain('quick');
    expect((starts[1]?.at ?? 0) - lostAt).toBeGreaterThanOrEqual(times.leaseDurationMs);
    void next;
  });

  it('gives back what the work returned, and throws what it threw', async () => {
    const clock = new VirtualClock();
    const client = new FakeConsul(clock).client();
    const good = runWhileLeader({
      client,
      clock,
      key,
      name: 'x',
      times,
      work: ({ term }) => Promise.resolve(`term ${term}`),
    });
    await clock.advance(5000);
    expect(await good).toBe('term 1');
    const bad = runWhileLeader({
      client,
      clock,
      key,
      name: 'x',
      times,
      work: () => Promise.reject(new Error('broken')),
    });
    bad.catch(() => undefined);
    await clock.advance(5000);
    await expect(bad).rejects.toThrow('broken');
  });

  it('ends when told to, also before it ever led', async () => {
    const clock = new VirtualClock();
    const client = new FakeConsul(clock).client({ fate: () => ({ toServerMs: null, toClientMs: null }) });
    const stop = new AbortController();
    const run = runWhileLeader({
      client,
      clock,
      key,
      name: 'x',
      times,
      signal: stop.signal,
      work: () => Promise.resolve(1),
    });
    await clock.advance(100);
    stop.abort();
    await clock.advance(100);
    expect(await run).toBeUndefined();
  });

  it('refuses times that contradict each other', async () => {
    const work = (): Promise<void> => Promise.resolve();
    await expect(runWhileLeader({ key, times: { ...times, heartbeatIntervalMs: 2000 }, work })).rejects.toBeInstanceOf(
      RangeError,
    );
  });
});
