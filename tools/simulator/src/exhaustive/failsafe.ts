import { peerEffects, Answers, type Parts } from '@ha-postgres/db-controller/controller';
import type { FailsafeAnswer, FailsafeRequest, NodeAddress } from '@ha-postgres/cluster-state';
import { clock, diskOf, leaseOf, leaseRecordOf, silentLog } from './memory';
import { observationOf } from './observe';
import type { Controller, Name } from './state';
import { DRIFT, LEASE, NOW, POLICY, TIMES, toMillis } from './times';
import { addressOf } from './values';
import type { Work } from './work';

/**
 * Failsafe by the real `askFailsafe` and `Answers`. The question and what is made of its answers are two steps: the effect is run
 * once to see whom it asks, and once more, from its beginning, with the answers that came.
 */

interface Asking {
  readonly members: readonly Name[];
  readonly pending: readonly Name[];
  readonly sentAt: number;
  readonly term: number;
  readonly answer: (member: Name) => Promise<FailsafeAnswer | null>;
  readonly extendTo: (endsAt: number) => boolean;
}

function askerOf(name: Name, asking: Asking) {
  const hold = { facts: { term: asking.term }, extendTo: asking.extendTo };
  const parts = {
    facts: { hold, pendingMembers: asking.pending.map(addressOf), lastFailsafeAskAt: null },
    consul: { members: { known: true, value: { members: asking.members.map(addressOf), modifyIndex: 1 } } },
    peers: { failsafe: ({ node }: NodeAddress) => asking.answer(node as Name) },
    ...{ self: addressOf(name), times: TIMES, log: silentLog, clock: { now: () => asking.sentAt } },
  };
  return peerEffects(parts as unknown as Parts);
}

/** The questions leave, to whomever the real code asks. */
export function askFailsafe({ name }: Work, controller: Controller, term: number): void {
  const asked: Name[] = [];
  controller.lastAsk = 0;
  if (controller.members === null) return;
  const effects = askerOf(name, {
    ...{ members: controller.members.list, pending: controller.pending, sentAt: NOW, term },
    answer: (member) => {
      asked.push(member);
      return new Promise(() => undefined);
    },
    extendTo: () => false,
  });
  void effects.askFailsafe({ type: 'askFailsafe', term });
  controller.asking = { sentAt: 0, term, asked: asked.sort(), agreed: [], refused: [] };
}

/** A member is asked. True: it promises. */
export function answerFailsafe(work: Work, holder: Name, term: number): boolean {
  const { name: member, node } = work;
  const answered = node.controller?.answered ?? null;
  const parts = {
    consul: { consistentAnswerAt: answered === null ? null : toMillis(answered) },
    ...{ disk: diskOf(member, node), self: addressOf(member), policy: POLICY, log: silentLog, clock },
  };
  const answers = new Answers(parts as unknown as Parts, () => observationOf(work));
  const { agree, why } = answers.failsafe({ term, holder } satisfies FailsafeRequest);
  if (agree) node.vow = LEASE + DRIFT;
  work.note(`${member} answers ${holder}'s question for failsafe: ${agree ? 'promises' : 'refuses'} (${why})`);
  return agree;
}

/** The holder makes of the answers what it can; whoever has not answered by now has not. True: its lease ends later now. */
export async function takeFailsafe(work: Work): Promise<boolean> {
  const { name, node } = work;
  const { asking, hold } = node.controller ?? { asking: null, hold: null };
  if (node.controller === null || asking === null) return false;
  node.controller.asking = null;
  if (hold === null) return false;
  const record = leaseRecordOf(hold.record);
  const before = record.endsAt;
  await askerOf(name, {
    ...{ members: asking.asked, pending: [], sentAt: toMillis(asking.sentAt), term: asking.term },
    answer: (member) => {
      const answer = { node: member, term: asking.term, why: '' };
      const hasAnswered = asking.agreed.includes(member) || asking.refused.includes(member);
      return Promise.resolve(hasAnswered ? { ...answer, agree: asking.agreed.includes(member) } : null);
    },
    extendTo: (endsAt) => hold.term === asking.term && record.promised(endsAt, NOW),
  }).askFailsafe({ type: 'askFailsafe', term: asking.term });
  hold.record = leaseOf(record);
  const isExtended = record.endsAt > before;
  if (isExtended && before <= NOW) work.never(`failsafe revives the lease of ${name}, which had ended`);
  work.note(`${name} takes the answers: its lease ${isExtended ? 'is extended' : 'stays as it is'}`);
  return isExtended;
}
