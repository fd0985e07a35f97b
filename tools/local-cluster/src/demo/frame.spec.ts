import { frame } from './frame';

const replica = {
  name: 'node1',
  backend: 'standby',
  isEnabled: true,
  records: 12,
  isInRecovery: true,
  role: 'Replica',
  timeline: 2,
  lagBytes: 2_048,
};
const silent = {
  name: 'node2',
  backend: null,
  isEnabled: false,
  records: null,
  isInRecovery: null,
  role: null,
  timeline: null,
  lagBytes: null,
};

const linesOf = (text: string) => text.split('\n').map((line) => line.split('│').map((cell) => cell.trim()));

describe('the picture of the demo', () => {
  const picture = frame({ attempts: 100, failed: 3 }, [replica, silent], ['what happened']);

  it('counts the inserts in its first line and ends with what happened', () => {
    expect(picture.split('\n')[0]).toBe('Client inserts: 100 attempts, 3 failed');
    expect(picture.split('\n').at(-1)).toBe('what happened');
  });

  it('has the columns that are promised, in their order', () => {
    expect(linesOf(picture)[2]?.filter(Boolean)).toEqual([
      'POD',
      'BACKEND',
      'ENABLED',
      'RECORDS',
      'IN RECOVERY',
      'ROLE',
      'TIMELINE',
      'LAG',
    ]);
  });

  it('shows what is known of a node, and a dash for the rest', () => {
    const cells = linesOf(picture).filter((line) => line[1]?.startsWith('node'));
    expect(cells.map((line) => line.slice(1, -1))).toEqual([
      ['node1', 'standby', 'yes', '12', 'yes', 'Replica', '2', '2.0 KiB'],
      ['node2', '–', 'no', '–', '–', 'no answer', '–', '–'],
    ]);
  });
});
