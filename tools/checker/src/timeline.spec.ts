import { timelineOfWalFile } from './timeline';

it('the timeline is the first third of a WAL file’s name', () => {
  expect(timelineOfWalFile('0000001F00000000000000A4')).toBe(31);
  expect(() => timelineOfWalFile('00000002.history')).toThrow(RangeError);
});
