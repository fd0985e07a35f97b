import type { HistoryValue, MasterValue } from '@ha-postgres/cluster-state';
import { pictureOf, witnessesOfLoss } from './picture';
import type { Reading } from './read/reading';
import { bytesText } from './show/bytes';

export interface FailoverPlan {
  /** The term of the Master that ran last: `to` becomes its successor. */
  readonly afterTerm: number;
  /** What the administrator answers for. */
  readonly says: readonly string[];
}

/** Whether an administrator may let a node be promoted that would not be by itself, and what that may cost. */
export function planFailover(reading: Reading, to: string): FailoverPlan | { readonly refused: string } {
  const { value: master, session } = reading.keys.master;
  const picture = pictureOf(reading);
  const row = picture.nodes.find(({ node }) => node === to);
  if (witnessesOfLoss(picture).length > 0)
    return { refused: 'Consul has lost what it knew: hapg bootstrap names the Master then' };
  if (master === null) return { refused: 'there is no master key' };
  if (session !== null && master.phase === 'running')
    return {
      refused: `${master.node} runs as Master of term ${master.term}: hapg switchover --to ${to} hands over without loss`,
    };
  if (row === undefined)
    return {
      refused: `no node ${JSON.stringify(to)} is known: there are ${picture.nodes.map(({ node }) => node).join(', ')}`,
    };
  if (row.source !== 'node' || row.status === null) return { refused: `${to} does not answer: ${row.health}` };
  if (picture.pause !== null) return { refused: `the cluster is paused (by ${picture.pause.by}): hapg resume first` };
  const afterTerm = termThatRan(master, reading.keys.history.value);
  if (afterTerm === null) return { refused: 'no Master has ever run in this cluster' };
  const { status, behindBytes } = row;
  const behind =
    behindBytes === null
      ? 'it is not known how much'
      : `at least ${bytesText(behindBytes)} of WAL, and what it wrote after its last beat`;
  const better = picture.nodes.filter(
    (one) =>
      one.source === 'node' &&
      one.node !== to &&
      one.behindBytes !== null &&
      behindBytes !== null &&
      one.behindBytes < behindBytes,
  );
  return {
    afterTerm,
    says: [
      `${to} becomes the successor of the Master of term ${afterTerm}. What that had, and ${to} has not, is given up: ${behind}.`,
      ...(status.role === 'DeadMaster'
        ? [`${to} is a DeadMaster: its data left the history of that Master, and all that this wrote is given up.`]
        : []),
      `${to} says of itself: ${status.takeover.able ? 'able to take over' : status.takeover.why}.`,
      ...better.map((one) => `${one.node} is less behind: ${bytesText(one.behindBytes ?? 0)}.`),
    ],
  };
}

/** As the nodes judge it: a late beat may have put an earlier phase in the place of `running`, and the history tells then. */
function termThatRan({ node, term, phase, last }: MasterValue, history: HistoryValue | null): number | null {
  const isTold = history?.promotions.some((promotion) => promotion.term === term && promotion.node === node) === true;
  return isTold || phase === 'running' || phase === 'draining' ? term : (last?.term ?? null);
}
