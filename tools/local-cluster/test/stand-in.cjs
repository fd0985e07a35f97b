// Stands in for the four services, chosen by the environment that each of them is given: real processes without their work.
const { spawn } = require('node:child_process');
const { existsSync, mkdirSync, readFileSync, writeFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { join } = require('node:path');

const {
  HAPG_NODE: node,
  HAPG_CONTROLLER_SOCKET: socket,
  HAPG_PORT: port,
  HAPG_DATA_DIR: dataDir,
  HAPG_STATE_DIR: stateDir,
} = process.env;
const isRunner = stateDir !== undefined && stateDir.endsWith('runner');
console.log(
  JSON.stringify({
    time: new Date().toISOString(),
    event: 'app.started',
    node,
    leaseDuration: process.env.HAPG_LEASE_DURATION,
  }),
);

if (socket !== undefined) serveRole();
if (isRunner) runPostgres();
setInterval(() => undefined, 60_000);

/** The role is what stands in the file `role` of the working directory: node0 is Master unless told otherwise. */
function serveRole() {
  createServer((request, response) => {
    const role = existsSync('role') ? readFileSync('role', 'utf8') : node === 'node0' ? 'Master' : 'Replica';
    setTimeout(() => response.end(JSON.stringify({ role, index: 1 })), request.url.includes('wait=') ? 50 : 0);
  }).listen(Number(port), '127.0.0.1');
}

/** A postmaster and a backend that is a session of its own, both with the data directory as theirs. */
function runPostgres() {
  mkdirSync(dataDir, { recursive: true });
  const sleep = () => spawn('sleep', ['600'], { cwd: dataDir, detached: true, stdio: 'ignore' });
  const postmaster = sleep();
  sleep();
  writeFileSync(join(dataDir, 'postmaster.pid'), `${postmaster.pid}\n`);
}
