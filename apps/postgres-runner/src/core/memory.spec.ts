import type { RoleAnswer, RunnerInstruction } from '@ha-postgres/cluster-state';
import { accept, endedAsAsked, endedUnasked, hold, isDeadlinePassed, isHeld, NEW_MEMORY, whyIgnored } from './memory';

const SELF = { node: 'a', bootId: 'boot' };
const MS = 1_000_000;

function answer(
  index: number,
  instruction: RunnerInstruction,
  validUntilMs = 1_000,
  more: Partial<RoleAnswer> = {},
): RoleAnswer {
  const role = instruction.kind === 'lead' ? 'Master' : 'Replica';
  const validUntil = String(validUntilMs * MS);
  return { index, bootId: 'boot', node: 'a', role, validUntil, term: 1, instruction, master: null, ...more };
}
const lead = (term = 1): RunnerInstruction => ({ kind: 'lead', term });
const stop: RunnerInstruction = { kind: 'stop', mode: 'fast', why: '' };

test('answers to another node, of another boot, or not above the last index are ignored', () => {
  const memory = accept(NEW_MEMORY, answer(5, lead()));
  expect(whyIgnored(memory, answer(6, lead()), SELF)).toBeNull();
  expect(whyIgnored(memory, answer(5, lead()), SELF)).toContain('5 is not above 5');
  expect(whyIgnored(memory, answer(4, lead()), SELF)).toContain('4 is not above 5');
  expect(whyIgnored(memory, answer(6, lead(), 1_000, { node: 'b' }), SELF)).toContain('"b"');
  expect(whyIgnored(memory, answer(6, lead(), 1_000, { bootId: 'old' }), SELF)).toContain('"old"');
});

test('each newer lead moves the deadline, in both directions', () => {
  let memory = accept(NEW_MEMORY, answer(1, lead(), 1_000));
  expect([isDeadlinePassed(memory, 999), isDeadlinePassed(memory, 1_000)]).toEqual([false, true]);
  memory = accept(memory, answer(2, lead(), 2_000));
  expect(isDeadlinePassed(memory, 1_999)).toBe(false);
  memory = accept(memory, answer(3, lead(), 1_500));
  expect(isDeadlinePassed(memory, 1_500)).toBe(true);
});

test('a passed deadline is lifted by a higher index only', () => {
  const fenced = hold(accept(NEW_MEMORY, answer(3, lead(), 1_000)));
  expect([isHeld(fenced), fenced.armed]).toEqual([true, null]);
  const lifted = accept(fenced, answer(4, lead(), 2_000));
  expect([isHeld(lifted), lifted.armed?.index]).toEqual([false, 4]);
});

test('a clean stop keeps the deadline, or takes its own while the role is still Master; anything else ends it', () => {
  const armed = accept(NEW_MEMORY, answer(1, lead(), 1_000));
  expect(accept(armed, answer(2, stop, 9_000)).armed?.validUntil).toBe(String(1_000 * MS));
  expect(accept(armed, answer(2, stop, 900, { role: 'Master' })).armed?.validUntil).toBe(String(900 * MS));
  expect(accept(armed, answer(2, { kind: 'wait' })).armed).toBeNull();
});

test('PostgreSQL that died armed is not acknowledged again in that term, but in the next, or after another word', () => {
  const died = endedUnasked(accept(NEW_MEMORY, answer(1, lead(1))));
  expect(accept(died, answer(2, lead(1))).armed).toBeNull();
  expect(accept(died, answer(2, lead(2))).armed?.term).toBe(2);
  const decided = accept(died, answer(2, { kind: 'follow', upstream: null }));
  expect(accept(decided, answer(3, lead(1))).armed?.term).toBe(1);
});

test('a standby that died may be started again', () => {
  const memory = accept(NEW_MEMORY, answer(1, { kind: 'follow', upstream: null }));
  expect(endedUnasked(memory)).toBe(memory);
});

test('after a stop that was asked for there is nothing left to fence', () => {
  const stopped = accept(accept(NEW_MEMORY, answer(1, lead())), answer(2, stop));
  expect([stopped.armed?.index, endedAsAsked(stopped).armed]).toEqual([1, null]);
});
