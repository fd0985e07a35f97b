import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nodeNameProblem } from './keys';
import { slotName, termOfSlot } from './slot-name';

const node = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,61}$/).filter((name) => nodeNameProblem(name) === null);
const term = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });

describe('slotName', () => {
  it('names term and node', () => {
    expect(slotName(7, 'node0')).toBe('ha_7_node0');
  });

  it('is a name that PostgreSQL takes, and tells its term', () => {
    fc.assert(
      fc.property(term, node, (of, name) => {
        expect(slotName(of, name)).toMatch(/^[a-z0-9_]{1,63}$/);
        expect(termOfSlot(slotName(of, name))).toBe(of);
      }),
    );
  });

  it('differs for nodes whose names differ in what a slot cannot say', () => {
    const names = ['a-b', 'a_b', 'a.b', 'A_B', 'a_B'].map((name) => slotName(1, name));
    expect(new Set(names).size).toBe(names.length);
  });

  it("tells the cluster's slots from those of others", () => {
    expect(termOfSlot('ha_x_node0')).toBeNull();
    expect(termOfSlot('mine')).toBeNull();
  });
});
