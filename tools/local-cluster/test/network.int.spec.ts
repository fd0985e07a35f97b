import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { Guard } from '../src/guard';
import { ClusterNetwork } from '../src/network/cluster-network';
import { inNamespace, isFreeSubnet } from '../src/network/ip';
import { addressOf, namespaceOf, newNetworkPlace, type NetworkPlace } from '../src/network/place';
import { waitFor } from '../src/waiting';
import { describeAsRoot, temporaryDirectory } from './support';

const PORT = 5_000;
const MEMBERS = ['node0', 'node1', 'node2'];
/** Says back what it is told. */
const ECHO = `require('node:net').createServer((s) => s.on('error', () => {}).pipe(s)).listen(${PORT}, '0.0.0.0')`;
/** Prints how long each of N answers of an address took, one connection for all; a word first, so that one can wait for it. */
const ASK = `
const [address, count] = process.argv.slice(1);
const socket = require('node:net').connect(${PORT}, address);
const ask = (left) => {
  if (left === 0) process.exit();
  const askedAt = performance.now();
  socket.write('?');
  socket.once('data', () => {
    console.log(String(Math.round(performance.now() - askedAt)));
    process.stdin.once('data', () => ask(left - 1)).resume();
  });
};
socket.on('connect', () => ask(Number(count)));
socket.on('error', (error) => { console.log(error.code); process.exit(); });
`;

/** The namespaces of a cluster, and the host's interface to them. */
function left({ id }: NetworkPlace): string[] {
  const namespaces = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  return [...namespaces, ...readdirSync('/sys/class/net')].filter((name) => name.startsWith(id));
}

describeAsRoot('members in namespaces of their own', () => {
  const place = newNetworkPlace(isFreeSubnet);
  const processes: ChildProcess[] = [];
  const lost: string[] = [];
  let workdir: string;
  let guard: Guard;
  let network: ClusterNetwork;

  /** Runs a script of Node where a member lives. */
  const runAt = (member: string, script: string, ...args: string[]) => {
    const [command, whole] = inNamespace(namespaceOf(place, member), process.execPath, ['-e', script, ...args]);
    const child = spawn(command, whole, { cwd: workdir, stdio: ['pipe', 'pipe', 'inherit'] });
    processes.push(child);
    return child;
  };
  /** Opens a connection from one member to another, over which one can `ask` again and again. */
  const conversation = (from: string, to: string) => {
    const child = runAt(from, ASK, addressOf(place, to), '100');
    const answers: string[] = [];
    child.stdout.setEncoding('utf8').on('data', (text: string) => answers.push(...text.trim().split('\n')));
    return {
      answers,
      ask: () => child.stdin.write('?'),
      answered: (count: number) =>
        waitFor(() => answers.length >= count, { what: `${count} answers`, timeoutMs: 30_000 }),
      end: () => child.kill('SIGKILL'),
    };
  };
  /** Whether a process on this machine outside the cluster reaches a member. */
  const isReachedFromOutside = (member: string) =>
    new Promise<boolean>((resolve) => {
      const socket = connect(PORT, addressOf(place, member));
      socket.setTimeout(2_000, () => resolve(false));
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.unref();
    });
  const ends = (from: string, to: string) => ({ from: [from], to: [to] });

  beforeAll(async () => {
    workdir = temporaryDirectory();
    guard = new Guard(workdir, place.id);
    network = new ClusterNetwork(place, workdir, (why) => lost.push(why));
    await network.open(MEMBERS);
    for (const member of MEMBERS) runAt(member, ECHO);
    await waitFor(async () => (await Promise.all(MEMBERS.map(isReachedFromOutside))).every(Boolean), {
      what: 'everybody to answer',
      timeoutMs: 30_000,
    });
  });
  afterAll(async () => {
    await guard.release();
    rmSync(workdir, { recursive: true, force: true });
    expect(left(place)).toEqual([]);
  });
  afterEach(() => network.heal({ from: MEMBERS, to: MEMBERS }));

  it('reach each other', async () => {
    const { answered, end } = conversation('node0', 'node1');
    await answered(1);
    end();
  });

  it('that are cut from each other fall silent on open connections, which go on when the cut is healed', async () => {
    const one = conversation('node0', 'node1');
    const other = conversation('node2', 'node1');
    await Promise.all([one.answered(1), other.answered(1)]);
    await network.cut(ends('node0', 'node1'), false);
    one.ask();
    for (let count = 2; count < 12; count += 1) {
      other.ask();
      await other.answered(count);
    }
    expect(await isReachedFromOutside('node0')).toBe(true);
    expect(await isReachedFromOutside('node1')).toBe(true);
    expect(one.answers).toHaveLength(1);
    await network.heal(ends('node0', 'node1'));
    await one.answered(2);
    expect(one.answers[1]).toMatch(/^\d+$/);
    one.end();
    other.end();
  });

  it('that are cut one way hear what they cannot answer', async () => {
    const talk = conversation('node0', 'node1');
    await talk.answered(1);
    await network.cut(ends('node1', 'node0'), true);
    talk.ask();
    const socket = conversation('node0', 'node1');
    await waitFor(() => halfOpenAt('node1'), { what: 'a connection that node1 cannot answer', timeoutMs: 10_000 });
    expect(talk.answers).toHaveLength(1);
    expect(socket.answers).toEqual([]);
    await network.heal(ends('node0', 'node1'));
    await Promise.all([talk.answered(2), socket.answered(1)]);
    talk.end();
    socket.end();
  });

  it('that are slow answer later by the delay of each direction, until they are healed', async () => {
    const { answers, ask, answered, end } = conversation('node0', 'node1');
    await answered(1);
    await network.slow(ends('node0', 'node1'), { delayMs: 150, jitterMs: 0, lossPercent: 0 });
    ask();
    await answered(2);
    expect(Number(answers[1])).toBeGreaterThanOrEqual(299);
    await network.heal(ends('node0', 'node1'));
    ask();
    await answered(3);
    end();
    expect(lost).toEqual([]);
  });

  it('lose packets, and TCP sends them again', async () => {
    await network.slow(ends('node0', 'node1'), { delayMs: 1, jitterMs: 1, lossPercent: 25 });
    const { answers, ask, answered, end } = conversation('node0', 'node1');
    for (let count = 1; count <= 15; count += 1) {
      await answered(count);
      ask();
    }
    // An answer that nothing was lost of takes some 4 ms; one that was sent again, 200 ms at least.
    const repeated = answers.filter((text) => Number(text) >= 200);
    expect(repeated.length).toBeGreaterThan(0);
    expect(repeated.length).toBeLessThan(answers.length);
    end();
  });

  it('that join and leave are reached by the others, and nothing is held against a later one of their name', async () => {
    const members = [...MEMBERS, 'node3'];
    for (let time = 0; time < 2; time += 1) {
      await network.add('node3');
      const echo = runAt('node3', ECHO);
      await waitFor(() => isReachedFromOutside('node3'), { what: 'node3 to answer', timeoutMs: 30_000 });
      const { answered, end } = conversation('node0', 'node3');
      await answered(1);
      end();
      await network.cut(ends('node0', 'node3'), false);
      echo.kill('SIGKILL');
      await network.remove('node3', members);
      expect(network.faults).toEqual([]);
      expect(left(place).filter((name) => name.endsWith('node3'))).toEqual([]);
    }
  });

  /** Connections in state SYN-RECEIVED (03) of a member. */
  function halfOpenAt(member: string): Promise<boolean> {
    const child = runAt(
      member,
      `console.log(String(require('node:fs').readFileSync('/proc/net/tcp', 'utf8').split('\\n').some((line) => line.trim().split(/\\s+/)[3] === '03')))`,
    );
    return new Promise((resolve) =>
      child.stdout.setEncoding('utf8').once('data', (text: string) => resolve(text.trim() === 'true')),
    );
  }
});

describeAsRoot('the guard of a cluster with namespaces', () => {
  it('removes them when its owner is killed by SIGKILL, and those of no one else', async () => {
    const [ours, theirs] = [newNetworkPlace(isFreeSubnet), newNetworkPlace(isFreeSubnet)];
    const [workdir, elsewhere] = [temporaryDirectory(), temporaryDirectory()];
    const bundle = join(workdir, '..', `network-${process.pid}.cjs`);
    buildSync({
      stdin: {
        contents: `export { Guard } from './src/guard'; export { ClusterNetwork } from './src/network/cluster-network';`,
        resolveDir: join(__dirname, '..'),
      },
      bundle: true,
      platform: 'node',
      outfile: bundle,
    });
    const script = `
      const { Guard, ClusterNetwork } = require(process.argv[1]);
      const [, , workdir, place] = process.argv;
      new Guard(workdir, JSON.parse(place).id);
      void new ClusterNetwork(JSON.parse(place), workdir, () => undefined).open(['node0', 'lb0']);
      setInterval(() => undefined, 1000);
    `;
    const other = new ClusterNetwork(theirs, elsewhere, () => undefined);
    const ofOther = new Guard(elsewhere, theirs.id);
    const owner = spawn(process.execPath, ['-e', script, bundle, workdir, JSON.stringify(ours)], {
      cwd: '/',
      stdio: 'inherit',
    });
    try {
      await other.open(['node0']);
      const before = left(theirs);
      await waitFor(() => left(ours).length === 4, { what: 'three namespaces and an interface', timeoutMs: 10_000 });
      owner.kill('SIGKILL');
      await waitFor(() => left(ours).length === 0, { what: 'nothing of them', timeoutMs: 10_000 });
      expect(left(theirs)).toEqual(before);
    } finally {
      owner.kill('SIGKILL');
      await ofOther.release();
      rmSync(bundle, { force: true });
      for (const directory of [workdir, elsewhere]) rmSync(directory, { recursive: true, force: true });
    }
    expect(left(theirs)).toEqual([]);
  });
});
