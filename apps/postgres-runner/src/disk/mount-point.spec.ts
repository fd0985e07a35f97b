import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mountPointsIn, refuseMountPoint } from './mount-point';

test('mount points are read as they are called, blanks in their names included', () => {
  const text = [
    '22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw',
    '30 22 8:17 /pg /var/lib/my\\040data rw - ext4 /dev/sdb1 rw',
    '',
  ].join('\n');
  expect(mountPointsIn(text)).toEqual(['/', '/var/lib/my data']);
});

test('a directory on which something is mounted is refused, as its name cannot be given to another; any other is taken', () => {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'hapg-mount-')));
  try {
    expect(() => refuseMountPoint(directory)).not.toThrow();
  } finally {
    rmSync(directory, { recursive: true });
  }
  if (process.platform === 'linux') expect(() => refuseMountPoint('/proc')).toThrow('/proc is a mount point');
});
