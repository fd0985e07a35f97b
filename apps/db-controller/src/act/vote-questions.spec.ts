import type { VoteAnswer } from '@ha-postgres/cluster-state';
import { address } from '../../test/fixture/values';
import { VoteQuestions } from './vote-questions';

const MEMBER = address('c');
const asked = (term = 6) => ({ term, candidate: 'b', withinMs: 150 });

/** What a member says, when the test lets it. */
function scene() {
  const answers: ((answer: VoteAnswer | null) => void)[] = [];
  const limits: (() => void)[] = [];
  const vote = () => new Promise<VoteAnswer | null>((resolve) => answers.push(resolve));
  const pause = () => new Promise<void>((resolve) => limits.push(resolve));
  return { answers, limits, questions: new VoteQuestions({ vote }, { pause }) };
}

const saying = (granted: boolean, term = 6): VoteAnswer => ({
  ...{ node: 'c', term, granted, why: '', dataTerm: 5, lsn: '0/5000000', replayed: true },
  ...{ candidate: true, failoverPriority: 0, noFailover: false },
});

describe('a question for a vote', () => {
  it('is answered by the vote, or by nothing when the time is over', async () => {
    const { answers, limits, questions } = scene();
    const first = questions.ask(MEMBER, asked(), 150);
    answers[0]?.(saying(true));
    expect(await first).toEqual(saying(true));
    const second = questions.ask(MEMBER, asked(), 150);
    limits[1]?.();
    expect(await second).toBeNull();
  });

  it('that came too late is answered in the next round, though the second one is not yet', async () => {
    const { answers, limits, questions } = scene();
    const first = questions.ask(MEMBER, asked(), 150);
    limits[0]?.();
    expect(await first).toBeNull();
    const second = questions.ask(MEMBER, asked(), 350);
    answers[0]?.(saying(true));
    expect(await second).toEqual(saying(true));
  });

  it('is refused only when nobody grants it any more', async () => {
    const { answers, limits, questions } = scene();
    void questions.ask(MEMBER, asked(), 150);
    limits[0]?.();
    const second = questions.ask(MEMBER, asked(), 350);
    answers[0]?.(saying(false));
    answers[1]?.(saying(true));
    expect(await second).toEqual(saying(true));
    const third = questions.ask(MEMBER, asked(), 350);
    answers[2]?.(saying(false));
    expect(await third).toEqual(saying(false));
  });

  it('of another term says nothing in this one', async () => {
    const { answers, limits, questions } = scene();
    void questions.ask(MEMBER, asked(6), 150);
    limits[0]?.();
    const next = questions.ask(MEMBER, asked(8), 150);
    answers[0]?.(saying(true, 6));
    answers[1]?.(null);
    expect(await next).toBeNull();
  });

  it('that was answered is over: the answer does not stand for the next', async () => {
    const { answers, questions } = scene();
    const first = questions.ask(MEMBER, asked(), 150);
    answers[0]?.(saying(false));
    expect(await first).toEqual(saying(false));
    const second = questions.ask(MEMBER, asked(), 350);
    answers[1]?.(saying(true));
    expect(await second).toEqual(saying(true));
  });
});
