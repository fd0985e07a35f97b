import type { NodeAddress, VoteAnswer, VoteRequest } from '@ha-postgres/cluster-state';
import type { Parts } from '../parts';

/** So long an answer may be on its way: what comes later could not be waited for any more. */
const ON_ITS_WAY_MS = 500;

/**
 * Asks members for their votes. A question that was not answered in time stays open, and its answer counts when the member is asked
 * again: a connection that was given up would have to be made anew, which over a slow way takes as long as all the rest.
 */
export class VoteQuestions {
  private readonly open = new Map<string, { readonly term: number; readonly answer: Promise<VoteAnswer | null> }>();

  constructor(
    private readonly peers: Pick<Parts['peers'], 'vote'>,
    private readonly clock: Pick<Parts['clock'], 'pause'>,
  ) {}

  /** The member's vote if it is there within `limitMs`, else its refusal, or null. */
  ask(member: NodeAddress, request: VoteRequest, limitMs: number): Promise<VoteAnswer | null> {
    const earlier = this.open.get(member.node);
    const question = { term: request.term, answer: this.peers.vote(member, request, ON_ITS_WAY_MS) };
    this.open.set(member.node, question);
    void question.answer.then(() => {
      if (this.open.get(member.node) === question) this.open.delete(member.node);
    });
    const answers = earlier?.term === request.term ? [earlier.answer, question.answer] : [question.answer];
    return firstVote(answers, this.clock.pause(limitMs));
  }
}

function firstVote(answers: readonly Promise<VoteAnswer | null>[], limit: Promise<void>): Promise<VoteAnswer | null> {
  return new Promise((resolve) => {
    let left = answers.length;
    let refusal: VoteAnswer | null = null;
    for (const answer of answers) {
      void answer.then((vote) => {
        left -= 1;
        refusal = vote ?? refusal;
        if (vote?.granted === true || left === 0) resolve(refusal);
      });
    }
    void limit.then(() => resolve(refusal));
  });
}
