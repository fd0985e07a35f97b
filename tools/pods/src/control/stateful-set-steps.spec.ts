import { revisionOf } from '../expand/revision';
import { statefulSet } from '../testing-objects';
import { stepsOfSet, type SetPod } from './stateful-set-steps';

const NEW = revisionOf(statefulSet().spec.template);
const ready = (ordinal: number, over: Partial<SetPod> = {}): SetPod => ({
  ordinal,
  revision: NEW,
  isReady: true,
  isEnding: false,
  ...over,
});
const old = (ordinal: number, over: Partial<SetPod> = {}): SetPod => ready(ordinal, { revision: 'old', ...over });
const parallel = statefulSet({ podManagementPolicy: 'Parallel' });
const create = (ordinal: number) => ({ do: 'create', ordinal });
const remove = (ordinal: number) => ({ do: 'delete', ordinal });

describe('one after the other', () => {
  test('the first is made, and no other before it is ready', () => {
    expect(stepsOfSet(statefulSet(), [])).toEqual([create(0)]);
    expect(stepsOfSet(statefulSet(), [ready(0, { isReady: false })])).toEqual([]);
    expect(stepsOfSet(statefulSet(), [ready(0)])).toEqual([create(1)]);
  });

  test('the highest of those that are too many goes first, and the next only when it is gone', () => {
    const one = statefulSet({ replicas: 1 });
    expect(stepsOfSet(one, [ready(0), ready(1), ready(2)])).toEqual([remove(2)]);
    expect(stepsOfSet(one, [ready(0), ready(1), ready(2, { isEnding: true })])).toEqual([]);
    expect(stepsOfSet(one, [ready(0), ready(1)])).toEqual([remove(1)]);
  });
});

describe('in parallel', () => {
  test('all that are missing are made at once', () => {
    expect(stepsOfSet(parallel, [ready(1, { isReady: false })])).toEqual([create(0), create(2)]);
  });

  test('all that are too many go at once', () => {
    const one = statefulSet({ replicas: 1, podManagementPolicy: 'Parallel' });
    expect(stepsOfSet(one, [ready(0), ready(1), ready(2)])).toEqual([remove(2), remove(1)]);
    expect(stepsOfSet(one, [ready(0), ready(1, { isEnding: true }), ready(2)])).toEqual([remove(2)]);
  });

  test('a pod that is ending is not made before it is gone', () => {
    expect(stepsOfSet(parallel, [ready(0), ready(1, { isEnding: true }), ready(2)])).toEqual([]);
  });
});

describe('of another template', () => {
  test('pods are replaced from the highest number down, each when the one before is ready', () => {
    expect(stepsOfSet(parallel, [old(0), old(1), old(2)])).toEqual([remove(2)]);
    expect(stepsOfSet(parallel, [old(0), old(1), old(2, { isEnding: true })])).toEqual([]);
    expect(stepsOfSet(parallel, [old(0), old(1), ready(2, { isReady: false })])).toEqual([]);
    expect(stepsOfSet(parallel, [old(0), old(1), ready(2)])).toEqual([remove(1)]);
    expect(stepsOfSet(parallel, [ready(0), ready(1), ready(2)])).toEqual([]);
  });

  test('one that is not ready is replaced all the same', () => {
    expect(stepsOfSet(parallel, [old(0), old(1), old(2, { isReady: false })])).toEqual([remove(2)]);
  });

  test('those below the partition stay', () => {
    const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 2 } };
    const set = statefulSet({ podManagementPolicy: 'Parallel', updateStrategy });
    expect(stepsOfSet(set, [old(0), old(1), old(2)])).toEqual([remove(2)]);
    expect(stepsOfSet(set, [old(0), old(1), ready(2)])).toEqual([]);
  });

  test('OnDelete leaves it to whoever deletes them', () => {
    const set = statefulSet({ updateStrategy: { type: 'OnDelete' } });
    expect(stepsOfSet(set, [old(0), old(1), old(2)])).toEqual([]);
    expect(stepsOfSet(set, [old(0), old(1)])).toEqual([create(2)]);
  });
});
