import type { HistoryEntry } from '@ha-postgres/cluster-state';
import { nameOf, type Reading } from './read/reading';

export interface Asked {
  readonly id: string;
  readonly from: string;
  /** The term of the Master that was asked. */
  readonly term: number;
}

export type SwitchoverOutcome =
  | { readonly kind: 'waiting'; readonly what: string }
  | { readonly kind: 'done'; readonly promotion: HistoryEntry }
  | { readonly kind: 'refused'; readonly why: string };

/** What became of a switchover, by the history and by what the Master that was asked says of it. */
export function switchoverOutcome({ id, from, term }: Asked, { keys, answers }: Reading): SwitchoverOutcome {
  const later = (keys.history.value?.promotions ?? []).filter((promotion) => promotion.term > term);
  const promotion = later.find((one) => answersTo(one, id));
  if (promotion !== undefined && promotion.node !== from) return { kind: 'done', promotion };
  if (promotion !== undefined)
    return { kind: 'refused', why: `${from} took over again itself, in term ${promotion.term}: ${promotion.why}` };
  const [other] = later;
  if (other !== undefined)
    return { kind: 'refused', why: `${other.node} was promoted for another reason (term ${other.term}): ${other.why}` };
  const answer = answers.find((one) => nameOf(one) === from);
  const said = answer?.kind === 'answered' ? answer.status.switchover : undefined;
  if (said?.id !== id) return { kind: 'waiting', what: `${from} has not said anything of it` };
  return said.state === 'refused'
    ? { kind: 'refused', why: said.why }
    : { kind: 'waiting', what: `${said.state}: ${said.why}` };
}

/** The id stands in a property of its own, or, as of older versions, in the reason. */
function answersTo(promotion: HistoryEntry, id: string): boolean {
  return promotion.switchover === id || promotion.why.includes(id);
}
