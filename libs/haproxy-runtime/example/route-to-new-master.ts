// Sends all clients of the backend "master" to another server, then shows where they go.
//   node route-to-new-master.js /run/haproxy/admin.sock 10.0.0.7
import {
  HaproxyRuntime,
  setServerAddress,
  setServerState,
  showServersState,
  shutdownSessions,
} from '@ha-postgres/haproxy-runtime';

async function main(path: string, host: string): Promise<void> {
  const haproxy = new HaproxyRuntime({ path }, { timeoutMs: 2000 });
  const server = { backend: 'master', server: 'master0' };

  const replies = await haproxy.batch([
    setServerState(server, 'maint'),
    shutdownSessions(server),
    setServerAddress(server, { host, port: 5432 }),
    setServerState(server, 'ready'),
  ]);
  for (const reply of replies) if (!reply.ok) throw reply.error;

  for (const { address, port, operationalState } of await haproxy.run(showServersState('master'))) {
    process.stdout.write(`${address ?? 'nowhere'}:${port} is ${operationalState}\n`);
  }
}

void main(process.argv[2] ?? '/run/haproxy/admin.sock', process.argv[3] ?? '127.0.0.1');
