import { checkHistory, History } from '@ha-postgres/checker';
import { drawFault, drawsOf, type Breakable, type Members } from './chaos-faults';
import { chaosReport, describeChaos, survivedChaos } from './chaos-report';

const members: Members = {
  nodes: ['node0', 'node1', 'node2'],
  loadBalancers: ['lb0', 'lb1'],
  master: 'node1',
  hasNetwork: false,
};
const texts = (seed: number, of: Members, count = 400) => {
  const draw = drawsOf(seed);
  return Array.from({ length: count }, () => drawFault(draw, of).text);
};

/** A cluster that notes what is done to it. */
function noting(): { readonly cluster: Breakable; readonly done: string[] } {
  const done: string[] = [];
  const note = (what: string) => (target: { member: string; process?: string }) => {
    done.push(`${what} ${target.member}${target.process === undefined ? '' : `/${target.process}`}`);
    return Promise.resolve();
  };
  const cluster: Breakable = {
    ...{ kill: note('kill'), freeze: note('freeze'), thaw: note('thaw'), restart: note('restart') },
    startAgain: (target) => void note('start')(target),
    cut: (from, to, isOneWay) => note(`cut ${isOneWay === true ? 'one way ' : ''}${from} from`)({ member: to }),
    heal: () => note('heal')({ member: 'all' }),
  };
  return { cluster, done };
}

describe('random faults', () => {
  it('are the same for the same seed, and others for another', () => {
    expect(texts(7, members)).toEqual(texts(7, members));
    expect(texts(7, members)).not.toEqual(texts(8, members));
  });

  it('are of every kind, strike every node, the Master more often, and cut only where there are namespaces', () => {
    const all = texts(1, members).join('\n');
    for (const kind of ['SIGKILL of node', 'SIGSTOP of node', 'SIGKILL of all of', 'SIGSTOP of all of', 'restart of'])
      expect(all).toContain(kind);
    for (const member of [...members.nodes, ...members.loadBalancers]) expect(all).toContain(member);
    expect(all).not.toContain('cut off');
    expect(texts(1, { ...members, hasNetwork: true }).join('\n')).toMatch(/cut off from (all|consul|nodes)/);
    expect(all.split('(the Master)').length).toBeGreaterThan(150);
  });

  it('leave nothing behind: what is frozen is thawed, what is down is started, what is cut is healed', async () => {
    const draw = drawsOf(3);
    for (let count = 0; count < 300; count++) {
      const fault = drawFault(draw, { ...members, hasNetwork: true });
      const { cluster, done } = noting();
      await fault.strike(cluster);
      await fault.mend(cluster);
      const [struck = '', mended] = done;
      if (struck.startsWith('freeze')) expect(mended).toBe(struck.replace('freeze', 'thaw'));
      if (/^kill \w+$/.test(struck)) expect(mended).toBe(struck.replace('kill', 'start'));
      if (struck.startsWith('cut')) expect(mended).toBe('heal all');
    }
  });
});

describe('the report of chaos', () => {
  const verdict = checkHistory(History.of([]));
  const run = { seed: 5, replication: 'quorum', minutes: 1 };

  it('is a success only if every fault was recovered from and nothing is wrong', () => {
    const fine = { ...verdict, violations: [], lost: [] };
    const whole = chaosReport({ ...run, done: [{ text: 'x', wholeAfterMs: 900 }] }, fine);
    expect(survivedChaos(whole)).toBe(true);
    expect(whole).toMatchObject({ faults: 1, wholeAgain: true, longestUntilWholeMs: 900, acknowledgedLost: 0 });
    expect(survivedChaos(chaosReport({ ...run, done: [] }, fine))).toBe(false);
    expect(survivedChaos(chaosReport({ ...run, done: [{ text: 'x', wholeAfterMs: null }] }, fine))).toBe(false);
    expect(survivedChaos(chaosReport({ ...run, done: [{ text: 'x', wholeAfterMs: 1 }] }, verdict))).toBe(false);
  });

  it('tells people what is wrong', () => {
    const report = chaosReport({ ...run, done: [{ text: 'x', wholeAfterMs: null }] }, verdict);
    expect(describeChaos(report).join('\n')).toMatch(/whole again after the last: NO[^]*WRONG: /);
  });
});
