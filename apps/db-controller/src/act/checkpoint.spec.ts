import { until } from '../../test/fixture/clock';
import { address, masterValue, runnerReport, standby } from '../../test/fixture/values';
import { endWorlds, world, type World } from '../../test/fixture/world';
import type { PostgresPort } from '../ports';
import { checkpointInBackground } from './checkpoint';
import { lockEffects, resumeHold } from './lock-effects';

afterEach(endWorlds);

/** The controller of node `b`, Master of term 6 on timeline 2, is restarted; its control file still tells that timeline, or an earlier one. */
async function restarted(controlTimeline: number): Promise<{ w: World; asked: readonly string[] }> {
  const w = world();
  const asked: string[] = [];
  const { parts, consul } = w;
  const server: PostgresPort = {
    ...parts.server,
    hold: () => ({
      isOpen: true,
      open: () => Promise.resolve(),
      query: (sql: string) => {
        asked.push(sql);
        return Promise.resolve([]);
      },
      close: () => Promise.resolve(),
    }),
  };
  Object.assign(parts, { server });
  w.set(parts.keys.master, masterValue({ phase: 'draining', released: true }));
  w.set(parts.keys.members, { members: [address('a'), address('b')] });
  await w.look();
  const decidedOn = consul.store.get(parts.keys.master)?.modifyIndex ?? 0;
  await lockEffects(parts).acquire({ type: 'acquire', term: 6, decidedOn, takeOver: false });
  const { hold } = parts.disk;
  if (hold === null) throw new Error('nothing stored');
  parts.disk.update({ hold: { ...hold, phase: 'running' } });
  parts.facts.hold?.stop();
  parts.facts.hold = null;
  w.postgres.sight = standby({ inRecovery: false, timeline: 2 });
  const report = runnerReport();
  const value = { ...report, data: { ...report.data, timeline: controlTimeline } };
  parts.facts.runner = { known: true, value, seenAt: 0 };
  await resumeHold(parts);
  return { w, asked };
}

describe('the checkpoint after a promotion', () => {
  it('is made by a controller that was restarted before it was complete: nobody could be rewound to this Master', async () => {
    const { asked } = await restarted(1);
    await until('a checkpoint is asked for', () => asked.includes('CHECKPOINT'));
  });

  it('is not made again where it is complete', async () => {
    const { w, asked } = await restarted(2);
    await checkpointInBackground(w.parts, 6);
    expect(asked).toEqual([]);
  });
});
