import { describe, expect, it } from '@jest/globals';
import { hold, known, runningMaster, unknown } from './testing/observations';
import { slotsToChange } from './slots';

const HOLD = hold({ phase: 'running' });
const withSlots = (...slots: readonly string[]) =>
  runningMaster({ slots: known(slots.map((name) => ({ name: name.replace('!', ''), lost: name.endsWith('!') }))) });

describe('the slots of a Master', () => {
  it('are one for each other member, of its own term', () => {
    expect(slotsToChange(withSlots('ha_6_a', 'ha_6_c', 'theirs'), HOLD)).toBeNull();
    expect(slotsToChange(withSlots(), HOLD)).toEqual({ type: 'keepSlots', create: ['ha_6_a', 'ha_6_c'], drop: [] });
  });

  it('of former terms, and of nodes that are no members, are dropped; those of others are nobody’s business', () => {
    expect(slotsToChange(withSlots('ha_6_a', 'ha_6_c', 'ha_5_a', 'ha_6_d', 'theirs'), HOLD)).toEqual({
      type: 'keepSlots',
      create: [],
      drop: ['ha_5_a', 'ha_6_d'],
    });
  });

  it('are dropped, and next made anew, where their WAL is gone', () => {
    expect(slotsToChange(withSlots('ha_6_a!', 'ha_6_c'), HOLD)).toEqual({
      type: 'keepSlots',
      create: [],
      drop: ['ha_6_a'],
    });
  });

  it('are left alone while they, or the members, are not known', () => {
    expect(slotsToChange(runningMaster({ slots: unknown() }), HOLD)).toBeNull();
    expect(slotsToChange(runningMaster({ slots: known([]), members: unknown() }), HOLD)).toBeNull();
  });
});
