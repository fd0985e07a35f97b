import { describe, expect, it } from '@jest/globals';
import { freeBytesOf, roomProblem } from './room';

const MB = 2 ** 20;

describe('room on the disk', () => {
  it('is there with something to spare', () => {
    expect(roomProblem('it', '/data', 100 * MB, 132 * MB)).toBeNull();
  });

  it('is refused with the numbers otherwise', () => {
    expect(roomProblem('the copy', '/data', 100 * MB, 131 * MB)).toBe(
      'the copy needs 100 MiB more (and 32 MiB to spare), but the file system of /data has 131 MiB free',
    );
  });

  it('is what the system says', () => {
    expect(freeBytesOf('/')).toBeGreaterThan(0);
  });
});
