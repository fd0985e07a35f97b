import { describe, expect, it } from '@jest/globals';
import { parseLsn } from '@ha-postgres/lsn';
import { parseControlData } from './control-data';

const LINES = [
  'pg_control version number:            1300',
  'Database cluster state:               in archive recovery',
  'Minimum recovery ending location:     0/5000268',
  "Min recovery ending loc's timeline:   2",
];

describe('pg_controldata', () => {
  it('is read', () => {
    expect(parseControlData(LINES)).toEqual({
      state: 'in archive recovery',
      minimumRecovery: parseLsn('0/5000268'),
      minimumRecoveryTimeline: 2,
    });
  });

  it('must say what is asked of it', () => {
    expect(() => parseControlData(LINES.slice(0, 2))).toThrow('Minimum recovery ending location');
  });
});
