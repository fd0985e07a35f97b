import type { BeatResult } from '@ha-postgres/consul-election';
import { LogLines } from '../../test/fixture/world';
import { thisMachine } from '../machine';
import { lastBeat } from './last-beat';
import type { OwnHold } from './own-hold';

function holdThat(write: () => Promise<BeatResult>): { hold: OwnHold; write: jest.Mock } {
  const mock = jest.fn(write);
  return { hold: { write: mock } as unknown as OwnHold, write: mock };
}

describe('the last beat of a controller that stops', () => {
  it('is one plain beat, and lets the loop tell its end before anything else is stopped', async () => {
    const lines = new LogLines();
    const told: string[] = [];
    const { hold, write } = holdThat(() => {
      setImmediate(() => told.push('the new end'));
      return Promise.resolve({ done: true, entries: [], sentAt: 1, modifyIndex: 2 } as unknown as BeatResult);
    });
    await lastBeat(hold, lines.log, thisMachine().clock);
    expect(write.mock.calls).toEqual([[[]]]);
    expect(told).toEqual(['the new end']);
    expect(lines.lines.map(({ event }) => event)).toEqual([]);
  });

  it('that is not answered keeps nobody from stopping, and is reported', async () => {
    const lines = new LogLines();
    await lastBeat(holdThat(() => new Promise<never>(() => undefined)).hold, lines.log, thisMachine().clock);
    expect(lines.lines.map(({ event }) => event)).toEqual(['lease.last-beat-unanswered']);
  });

  it('is none without a hold', async () => {
    const lines = new LogLines();
    await lastBeat(null, lines.log, thisMachine().clock);
    expect(lines.lines.map(({ event }) => event)).toEqual([]);
  });
});
