import { once } from 'node:events';
import { connect } from 'node:net';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Kubectl } from '../src/kubectl';
import { openPortForward, type PortForward } from '../src/port-forward';
import { FakePrograms } from './fake-programs';

/** As kubectl: listens, says so, answers with its own pid, and ends when the file `end` says its number. */
const FORWARDER = String.raw`
const { createServer } = require('node:net');
const { existsSync } = require('node:fs');
const [local] = process.argv.at(-1).split(':');
const refusal = process.env.FAKE_DIR + '/refuse';
if (existsSync(refusal)) { console.error('error: unable to forward port because pod is not running'); process.exit(1); }
createServer((socket) => socket.end(String(process.pid))).listen(Number(local), '127.0.0.1', () =>
  console.log('Forwarding from 127.0.0.1:' + local + ' -> 5432'));
setInterval(() => existsSync(process.env.FAKE_DIR + '/end-' + process.pid) && process.exit(1), 20);
`;

let fakes: FakePrograms;
const opened: PortForward[] = [];
beforeEach(() => (fakes = new FakePrograms()));
afterEach(async () => {
  await Promise.all(opened.splice(0).map((forward) => forward.close()));
  fakes.remove();
});

const forwarding = (): Kubectl => {
  writeFileSync(join(fakes.directory, 'forward.cjs'), FORWARDER);
  const program = fakes.add(
    'kubectl',
    `FAKE_DIR='${fakes.directory}' exec '${process.execPath}' '${fakes.directory}/forward.cjs' "$@"`,
  );
  return new Kubectl({ namespace: 'db', context: 'kind-x', program });
};
const open = async (): Promise<PortForward> => {
  const forward = await openPortForward(forwarding(), 'service/postgres', 5432);
  opened.push(forward);
  return forward;
};
const broken = async (forward: PortForward): Promise<void> => {
  const deadline = Date.now() + 10_000;
  while (forward.breaks === 0 && Date.now() < deadline) await delay(20);
};
const answerOf = async ({ localPort }: PortForward): Promise<string> => {
  const socket = connect(localPort, '127.0.0.1');
  let answer = '';
  socket.on('data', (bytes) => (answer += bytes.toString()));
  await once(socket, 'close');
  return answer;
};

describe('kubectl', () => {
  it('is called with its context and namespace, and what it prints is the answer', async () => {
    const program = fakes.add('kubectl', 'echo "{}"');
    const kubectl = new Kubectl({ namespace: 'db', context: 'kind-x', program });
    expect(await kubectl.run(['get', 'pods'])).toBe('{}\n');
    expect(fakes.called).toEqual(['kubectl --context=kind-x --namespace=db get pods']);
  });

  it('fails with its command and its own words', async () => {
    const program = fakes.add('kubectl', 'echo "Error from server (Forbidden): pods" >&2; exit 1');
    const kubectl = new Kubectl({ namespace: 'db', context: null, program });
    await expect(kubectl.run(['get', 'pods'])).rejects.toThrow(
      'kubectl --namespace=db get pods: Error from server (Forbidden): pods',
    );
  });

  it('fails if it is silent for too long, and if it is not there', async () => {
    const program = fakes.add('kubectl', 'exec sleep 60');
    await expect(new Kubectl({ namespace: 'db', context: null, program }).run(['x'], 200)).rejects.toThrow('SIGKILL');
    const none = join(fakes.directory, 'none');
    await expect(new Kubectl({ namespace: 'db', context: null, program: none }).run(['x'])).rejects.toThrow('ENOENT');
  });
});

describe('a port-forward', () => {
  it('is there again, on the same port, when kubectl has ended', async () => {
    const forward = await open();
    await forward.ready(10_000);
    const first = await answerOf(forward);
    writeFileSync(join(fakes.directory, `end-${first}`), '');
    await broken(forward);
    await forward.ready(10_000);
    expect(await answerOf(forward)).not.toBe(first);
    expect(fakes.called.slice(0, 2)).toEqual(
      Array<string>(2).fill(
        `kubectl --context=kind-x --namespace=db port-forward --address=127.0.0.1 service/postgres ${forward.localPort}:5432`,
      ),
    );
  });

  it('is started anew when another pod stands behind its name', async () => {
    const forward = await open();
    await forward.ready(10_000);
    const first = await answerOf(forward);
    forward.renew();
    await broken(forward);
    await forward.ready(10_000);
    expect(await answerOf(forward)).not.toBe(first);
  });

  it('that does not come says why, and comes when it can', async () => {
    const refusal = join(fakes.directory, 'refuse');
    writeFileSync(refusal, '');
    const forward = await open();
    await expect(forward.ready(700)).rejects.toThrow(
      /port-forward .*service\/postgres .*: not there within 700 ms: error: unable to forward port because pod is not running/,
    );
    expect(forward.breaks).toBe(0);
    rmSync(refusal);
    await forward.ready(10_000);
  });

  it('leaves nothing behind when it is closed', async () => {
    const forward = await open();
    await forward.ready(10_000);
    const pid = Number(await answerOf(forward));
    await forward.close();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
