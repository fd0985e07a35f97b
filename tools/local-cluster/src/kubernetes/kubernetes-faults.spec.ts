import { kubernetesFaults } from './kubernetes-faults';

const NODE = 'ha-postgres-1';

function stricken(uids: readonly (string | null)[] = ['u1']) {
  const called: string[] = [];
  const left = [...uids];
  const run = (args: readonly string[]) => {
    called.push(args.join(' '));
    return Promise.resolve('');
  };
  const uidOf = () => (left.length > 1 ? (left.shift() ?? null) : (left[0] ?? null));
  return { called, faults: kubernetesFaults({ run, uidOf }) };
}

test.each([
  ['kill-master', /^exec ha-postgres-1 --container=postgres -- sh -c kill -KILL "\$\(head -n 1 .*postmaster\.pid"\)"$/],
  ['kill-node', /^delete pod ha-postgres-1 --grace-period=0 --force --wait=false$/],
  ['delete-pod', /^delete pod ha-postgres-1 --wait=false$/],
  ['switchover', /^exec ha-postgres-1 --container=postgres -- hapg switchover --yes$/],
] as const)('%s is done by kubectl', async (scenario, command) => {
  const { called, faults } = stricken();
  await faults[scenario].strike(NODE);
  expect(called).toEqual([expect.stringMatching(command)]);
  expect(faults[scenario].describe(NODE)).toContain(NODE);
});

test('after its pod was deleted a node is back when another pod bears its name, not before', async () => {
  const { faults } = stricken(['u1', 'u1', null, 'u2']);
  const fault = faults['kill-node'];
  await fault.strike(NODE);
  expect([fault.isBack?.(NODE), fault.isBack?.(NODE), fault.isBack?.(NODE)]).toEqual([false, false, true]);
});

test('a node whose pod was not deleted never went', () => {
  expect([stricken().faults['kill-master'].isBack, stricken().faults.switchover.isBack]).toEqual([
    undefined,
    undefined,
  ]);
});
