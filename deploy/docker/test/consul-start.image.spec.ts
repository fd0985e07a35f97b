import { randomBytes } from 'node:crypto';
import { chmodSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WORKSPACE_ROOT, waitFor } from '@ha-postgres/local-cluster';
import { standIns } from './built-images';
import { RESTRICTED, podman, tryPodman } from './podman';

const SCRIPT = join(WORKSPACE_ROOT, 'deploy', 'helm', 'ha-postgres', 'files', 'consul-start.sh');
const BUILD_MS = 900_000;
const SETTLE_MS = 60_000;
const ID = `hapg-consul-${randomBytes(4).toString('hex')}`;

let image = '';
let config = '';
let server = '';
const volumes: string[] = [];

beforeAll(() => {
  image = standIns().CONSUL_IMAGE ?? '';
  podman('network', 'create', ID);
  podman(
    ...['run', '--detach', `--name=${ID}-server`, `--network=${ID}`, image],
    ...['agent', '-server', '-bootstrap-expect=1', '-node=consul-0', '-client=0.0.0.0'],
  );
  server = podman('inspect', '--format={{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', `${ID}-server`);
  config = mkdtempSync(join(tmpdir(), 'consul-start-'));
  chmodSync(config, 0o755);
  cpSync(SCRIPT, join(config, 'start.sh'));
  const agent = { data_dir: '/consul/data', bind_addr: '0.0.0.0', retry_join: [server], retry_interval: '1s' };
  writeFileSync(join(config, 'agent.json'), JSON.stringify({ ...agent, leave_on_terminate: false }));
}, BUILD_MS);

afterAll(() => {
  for (const name of ['server', 'first', 'second', 'stranger'])
    tryPodman('rm', '--force', '--volumes', '--time=0', `${ID}-${name}`);
  for (const volume of volumes) tryPodman('volume', 'rm', '--force', volume);
  tryPodman('network', 'rm', '--force', ID);
  rmSync(config, { recursive: true, force: true });
});

test('an agent of that name with another id is refused while Consul believes that the node lives', async () => {
  start('first', '10', '/bin/sh', '/consul/config/start.sh');
  await becomes(addressEnding('10'));
  start('stranger', '30', 'consul', 'agent', '-config-file=/consul/config/agent.json', '-node=pg-0');
  await waitFor(() => refusalIn(logsOf('stranger')), {
    what: 'Consul to refuse the name',
    timeoutMs: SETTLE_MS,
  });
  podman('rm', '--force', '--volumes', '--time=0', `${ID}-stranger`);
}, 180_000);

test('an agent that lost its data comes back with another address as the node that it was, by the id that its name gives', async () => {
  const before = await nodeInCatalogue();
  podman('kill', `${ID}-first`);
  start('second', '20', '/bin/sh', '/consul/config/start.sh');
  await becomes(addressEnding('20'));
  expect((await nodeInCatalogue())?.ID).toBe(before?.ID);
}, 180_000);

const refusalIn = (log: string): boolean => /node name pg-0 is reserved by node [0-9a-f-]{36}/i.test(log);

const becomes = (address: string): Promise<unknown> =>
  waitFor(async () => (await nodeInCatalogue())?.Address === address, {
    what: `the agent to be in the catalogue with ${address}`,
    timeoutMs: SETTLE_MS,
  });

/** An agent as the chart starts it, with a data directory that nobody has used. */
function start(name: string, ending: string, ...command: readonly string[]): void {
  const volume = `${ID}-${name}`;
  volumes.push(volume);
  const [program = '', ...args] = command;
  podman(
    ...['run', '--detach', `--name=${ID}-${name}`, `--network=${ID}`, `--ip=${addressEnding(ending)}`, ...RESTRICTED],
    ...['--user=100:1000', `--volume=${volume}:/consul/data`, `--volume=${config}:/consul/config:ro`],
    ...[
      '--env=CONSUL_NODE_NAME=pg-0',
      `--env=POD_IP=${addressEnding(ending)}`,
      `--entrypoint=${program}`,
      image,
      ...args,
    ],
  );
}

const addressEnding = (ending: string): string => server.replace(/\d+$/, ending);

async function nodeInCatalogue(): Promise<{ ID: string; Address: string } | undefined> {
  const answer = await fetch(`http://${server}:8500/v1/catalog/node/pg-0`, { signal: AbortSignal.timeout(2_000) });
  const found = (await answer.json()) as { Node: { ID: string; Address: string } } | null;
  return found?.Node;
}

function logsOf(name: string): string {
  const { stdout, stderr } = tryPodman('logs', `${ID}-${name}`);
  return stdout + stderr;
}
