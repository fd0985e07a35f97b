// Runs hapg with the addresses of a local cluster.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [workdir, ...rest] = process.argv.slice(2);
if (workdir === undefined || workdir.startsWith('-')) {
  process.stderr.write('usage: tools/hapg WORKDIR COMMAND …; WORKDIR is that of tools/cluster up\n');
  process.exit(2);
}
const cluster = read(join(workdir, 'cluster.json'));
// A server that is down may be what hapg is asked about.
const consul = cluster.consul.servers.find(({ pid }) => pid !== null) ?? cluster.consul;
const main = join(dirname(dirname(fileURLToPath(import.meta.url))), 'apps', 'hapg', 'dist', 'main.js');
const { status } = spawnSync(process.execPath, [main, ...rest], {
  stdio: 'inherit',
  env: {
    ...process.env,
    CONSUL_HTTP_ADDR: consul.http,
    HAPG_CONSUL_PREFIX: cluster.consul.prefix,
    HAPG_ROLE_SERVERS: cluster.nodes.map(({ roleServerUrl }) => new URL(roleServerUrl).host).join(','),
  },
});
process.exit(status ?? 1);

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    process.stderr.write(`hapg: no local cluster in ${workdir}: ${error.message}\n`);
    process.exit(2);
  }
}
