import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** One thing that was to be shown. */
export interface Shown {
  readonly what: string;
  readonly isShown: boolean;
}

/** Leaves what `tools/test` adds up: a report in the form of jest's. */
export function writeReport(file: string, suite: string, all: readonly Shown[]): void {
  const failed = all.filter(({ isShown }) => !isShown);
  mkdirSync(dirname(file), { recursive: true });
  const report = {
    numPassedTests: all.length - failed.length,
    numFailedTests: failed.length,
    testResults: [
      {
        name: suite,
        status: failed.length === 0 ? 'passed' : 'failed',
        assertionResults: all.map(({ what, isShown }) => ({ fullName: what, status: isShown ? 'passed' : 'failed' })),
      },
    ],
  };
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}
