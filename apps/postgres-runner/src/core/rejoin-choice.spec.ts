import { chooseRejoin } from './rejoin-choice';

const SOUND = { beyond: 'nothing', isUsable: true, hasTimelineOf: false } as const;

describe('data whose WAL ends where the histories part', () => {
  test('follows as it is', () => {
    expect(chooseRejoin({ mayLose: false }, SOUND)).toBe('ancestor');
  });

  test.each([
    ['that has been on a timeline that its Master never was on', { mayLose: false, isStray: true }, SOUND],
    ['that has been on one of the same number', { mayLose: false }, { ...SOUND, hasTimelineOf: true }],
    ['that cannot be read', { mayLose: false }, { ...SOUND, isUsable: false }],
  ])('is replaced %s: PostgreSQL would not follow with it', (_, wanted, found) => {
    expect(chooseRejoin(wanted, found)).toBe('replaced');
  });
});

test.each([
  [3, false, 'refused'],
  ['unknown', false, 'refused'],
  [3, true, 'replaced'],
  [0, false, 'replaced'],
] as const)('of %s commits, with leave to lose them %s, is %s', (beyond, mayLose, choice) => {
  expect(chooseRejoin({ mayLose, isStray: true }, { ...SOUND, beyond })).toBe(choice);
});
