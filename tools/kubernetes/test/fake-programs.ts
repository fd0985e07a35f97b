import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Executables of a test's own, to be found on the PATH before any other. */
export class FakePrograms {
  readonly directory = mkdtempSync(join(tmpdir(), 'fake-programs-'));
  private readonly calls = join(this.directory, 'calls');

  constructor() {
    mkdirSync(join(this.directory, 'bin'));
    writeFileSync(this.calls, '');
  }

  /** With these first: the PATH for a process that is to find them. `only`: and nothing else but Node.js and the shell. */
  path(only = false): string {
    const { PATH = '' } = process.env;
    return `${join(this.directory, 'bin')}:${only ? '/bin:/usr/bin' : PATH}`;
  }

  /** A program that notes its arguments, and does what the shell is told. */
  add(name: string, script = ''): string {
    const file = join(this.directory, 'bin', name);
    writeFileSync(file, `#!/bin/sh\nprintf '%s\\n' "${name} $*" >>'${this.calls}'\n${script}\n`);
    chmodSync(file, 0o755);
    return file;
  }

  /** What has been called, in its order. */
  get called(): string[] {
    return readFileSync(this.calls, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
