import { parseMaster } from '@ha-postgres/cluster-state';
import { masterValueOf, textOf, toldIn, withBeat, type Told } from './values';

const told: Told = {
  ...{ node: 'b', term: 3, beat: 4, phase: 'waiting', released: true, successor: 'c' },
  last: { node: 'a', term: 2 },
};

test('a value is read as it was written', () => {
  expect(toldIn(textOf(told))).toEqual(told);
  expect(toldIn(textOf({ ...told, released: false, successor: null }))).toEqual({
    ...told,
    released: false,
    successor: null,
  });
});

test('beats of one hold differ in nothing but their number', () => {
  const other = withBeat(textOf(told), 5);
  expect(other).not.toBe(textOf(told));
  expect(toldIn(other)).toEqual({ ...told, beat: 5 });
});

test('nodes read what the cluster writes in that key', () => {
  expect(parseMaster(JSON.stringify(masterValueOf(textOf(told))))).toMatchObject({ ok: true });
});
