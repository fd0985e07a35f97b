// Runs the layers of tests through Nx and adds their counts up. Nothing that fails keeps the rest from being run.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const reports = join(root, 'tmp', 'test-results');

/** Layers that cannot be run here: tools/test has said why. */
const leftOut = (process.env.LEFT_OUT ?? '').split(' ');

// Real servers and whole clusters measure time: one project at a time, or they take the processor from each other.
const LAYERS = {
  unit: [{ targets: ['build', 'lint', 'typecheck', 'test'], report: 'unit', parallel: 2 }],
  integration: [{ targets: ['integration'], report: 'integration', parallel: 1 }],
  e2e: [{ targets: ['e2e'], report: 'e2e', parallel: 1 }],
  fault: [{ targets: ['fault'], report: 'fault', parallel: 1 }],
  images: [{ targets: ['images'], report: 'images', parallel: 1 }],
  pods: [{ targets: ['pods'], report: 'pods', parallel: 1 }],
  // They use every processor themselves.
  simulate: ['seeds', 'mutations', 'exhaustive', 'exhaustive-mutations'].map((target) => ({
    targets: [target],
    report: target,
    parallel: 1,
  })),
};
// Images are built for the pods as well, and examined one by one when that is asked for.
LAYERS.all = ['unit', 'simulate', 'integration', 'e2e', 'fault', 'pods']
  .filter((layer) => !leftOut.includes(layer))
  .flatMap((layer) => LAYERS[layer]);

/** Targets that leave a report. */
const COUNTED = [
  'test',
  'integration',
  'e2e',
  'fault',
  'images',
  'pods',
  ...LAYERS.simulate.map(({ report }) => report),
];

// Of the faults only the quick half is run, unless told otherwise.
const EVERY_FAULT = '--all';
const given = process.argv.slice(2);
const [layer = 'all', ...forNx] = given.filter((argument) => argument !== EVERY_FAULT);
// Among all others the pods run on one pair of versions: what the second one stands on takes minutes to be made.
if (layer === 'all') process.env.PODS_ON ??= 'trixie';
const stages = LAYERS[layer];
if (given.includes(EVERY_FAULT)) process.env.FAULTS = 'all';
if (stages === undefined) {
  console.error(
    `usage: tools/test [${Object.keys(LAYERS).join('|')}] [${EVERY_FAULT}: every fault] [options of nx run-many, such as -p PROJECT]`,
  );
  process.exit(64);
}

const total = { passed: 0, failed: 0, problems: [] };
mkdirSync(reports, { recursive: true });
// What the tests measure, beside what they judge (e2e/src/pods).
const figures = join(reports, 'figures.txt');
rmSync(figures, { force: true });
for (const stage of stages) {
  forgetReports(stage.report);
  const failedTasks = await runNx(stage);
  addUp(stage.report, failedTasks);
}
if (existsSync(figures)) console.log(`\nMeasured (${figures}):\n${readFileSync(figures, 'utf8')}`);
if (total.problems.length > 0)
  console.log(`\nFailed:\n${total.problems.map((problem) => `  ${problem}`).join('\n')}\n`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed > 0 ? 1 : 0);

/** Reports of an earlier run must not be counted; what Nx has in its cache it puts back. */
function forgetReports(suffix) {
  for (const file of reportFiles(suffix)) rmSync(join(reports, file));
}

function reportFiles(suffix) {
  return existsSync(reports) ? readdirSync(reports).filter((file) => file.endsWith(`.${suffix}.json`)) : [];
}

/** Runs targets of all projects that have them; returns the failed tasks (`project:target`). */
function runNx({ targets, parallel }) {
  const args = [
    'nx',
    'run-many',
    '-t',
    ...targets,
    `--parallel=${parallel}`,
    '--nxBail=false',
    '--output-style=static',
    ...forNx,
  ];
  console.log(`\n> ${args.join(' ')}`);
  return new Promise((resolve) => {
    const child = spawn('npx', args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        process.stdout.write(chunk);
        output += chunk;
      });
    }
    child.on('close', (code) => resolve(code === 0 ? [] : failedTasksIn(output, targets)));
  });
}

/** Failed tasks, and those that were left out because another failed: both are listed below Nx's last heading. */
function failedTasksIn(output, targets) {
  // eslint-disable-next-line no-control-regex -- Nx colours its output when it believes somebody sees it
  const lines = output.replace(/\u001b\[[0-9;]*m/g, '').split('\n');
  const listed = lines
    .slice(lines.findLastIndex((line) => /^\s*NX\s/.test(line)) + 1)
    .map((line) => /^\s*- ([\w@/.-]+:[\w-]+)(\s|$)/.exec(line)?.[1])
    .filter((task) => task !== undefined && targets.includes(task.split(':')[1]));
  return listed.length > 0 ? [...new Set(listed)] : [`nx:${targets.join(',')}`];
}

/** Each failed test counts; so does each suite that could not run, and each failed task whose report tells of no failure. */
function addUp(suffix, failedTasks) {
  const failuresOf = new Map();
  for (const file of reportFiles(suffix)) {
    const project = file.slice(0, -`.${suffix}.json`.length);
    const report = JSON.parse(readFileSync(join(reports, file), 'utf8'));
    const failures = report.testResults.flatMap(failuresIn);
    total.passed += report.numPassedTests;
    failuresOf.set(project, failures.length);
    for (const failure of failures) problem(`${project} (${suffix}): ${failure}`);
  }
  for (const task of failedTasks) {
    const [project, target] = task.split(':');
    const isCounted = COUNTED.includes(target) && (failuresOf.get(project) ?? 0) > 0;
    if (!isCounted) problem(task);
  }
}

function failuresIn(suite) {
  const failed = suite.assertionResults.filter((test) => test.status === 'failed').map((test) => test.fullName);
  return failed.length > 0 || suite.status !== 'failed' ? failed : [`${suite.name} could not be run`];
}

function problem(text) {
  total.failed += 1;
  total.problems.push(text);
}
