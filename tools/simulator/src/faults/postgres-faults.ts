import type { Behaviour } from '../postgres/server';
import { aWhile, type Fault, type FaultContext } from './context';

type Switch = { [K in keyof Behaviour]: Behaviour[K] extends boolean ? K : never }[keyof Behaviour];

function switched(context: FaultContext, what: Switch, words: string, undone?: () => void): boolean {
  const { name, behaviour } = context.victim();
  context.world.tell(name, () => `FAULT     ${words}`);
  behaviour[what] = true;
  context.during(aWhile(context), () => {
    behaviour[what] = false;
    undone?.();
    context.cluster.nodes.get(name)?.server?.replaySoon();
  });
  return true;
}

const storageStalls: Fault = (context) => switched(context, 'isStalled', 'the storage of PostgreSQL stalls');
const replayPaused: Fault = (context) => switched(context, 'isReplayPaused', 'replay is paused');
const replayHeld: Fault = (context) => switched(context, 'isReplayHeld', 'replay is held by a query');
const promotionHangs: Fault = (context) => switched(context, 'promotionHangs', 'promotions do not come to an end');
const connectionsFull: Fault = (context) => switched(context, 'isFull', 'PostgreSQL takes no more connections');

export const postgresFaults = {
  storageStalls,
  replayPaused,
  replayHeld,
  promotionHangs,
  connectionsFull,
} satisfies Record<string, Fault>;
