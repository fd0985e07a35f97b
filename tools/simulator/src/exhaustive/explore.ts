import type { Configuration } from './configuration';
import { eventsOf, type Event } from './events';
import { INITIAL_TERM, initialState } from './initial';
import { brokenIn } from './invariants';
import { Next, Workshop } from './next';
import type { State } from './state';
import { StateStore } from './state-store';

export interface Found {
  readonly what: string;
  /** The steps that lead there, the shortest there are, each as a line. */
  readonly path: readonly string[];
}

export interface Exploration {
  readonly states: number;
  readonly steps: number;
  /** Every state up to so many steps from the beginning was seen. */
  readonly depth: number;
  /** Nothing new comes after that depth. */
  readonly isComplete: boolean;
  /** Of the processor, on which others may run as well. */
  readonly cpuMilliseconds: number;
  readonly parts: Readonly<Record<string, number>>;
  readonly found: Found | null;
}

/** Beside the depth of the configuration. */
export interface Limits {
  readonly states?: number;
  readonly onDepth?: (depth: number, states: number) => void;
}

/** Breadth first, so that the first violation is one with the fewest steps. */
export async function explore(configuration: Configuration, limits: Limits = {}): Promise<Exploration> {
  const began = process.cpuUsage();
  const workshop = workshopFor(configuration);
  const store = new StateStore(workshop.parts);
  store.add(firstState(configuration, workshop), 0, 0);
  let [depth, steps, next] = [0, 0, 0];
  const result = (isComplete: boolean, found: Found | null): Exploration => ({
    ...{ states: store.size, steps, depth, isComplete, parts: sizes(workshop), found },
    cpuMilliseconds: process.cpuUsage(began).user / 1000,
  });
  for (;;) {
    const end = store.size;
    if (next === end) return result(true, null);
    if (depth === configuration.depth || end > (limits.states ?? Infinity)) return result(false, null);
    for (; next < end; next += 1) {
      const state = store.get(next);
      const events = eventsOf(state, configuration);
      for (const [i, event] of events.entries()) {
        steps += 1;
        const stepped = step(state, event, workshop);
        const after = stepped instanceof Promise ? await stepped : stepped;
        const what = after.violation ?? brokenIn(after);
        if (what !== null) {
          depth += 1;
          return result(false, { what, path: await tell(configuration, [...store.pathTo(next), i]) });
        }
        store.add(after, next, i);
      }
    }
    depth += 1;
    limits.onDepth?.(depth, store.size);
  }
}

export function workshopFor(configuration: Configuration): Workshop {
  return new Workshop({ ...configuration, termMax: INITIAL_TERM + configuration.terms });
}

/** Made of parts that are known, as every state is. */
export function firstState(configuration: Configuration, { parts }: Workshop): State {
  const { nodes, consul, messages, world } = initialState(configuration);
  return {
    nodes: nodes.map((node) => parts.node.one(node)),
    consul: parts.consul.one(consul),
    messages: parts.messages.one(messages),
    world: parts.world.one(world),
  };
}

function sizes({ parts }: Workshop): Exploration['parts'] {
  const { node, consul, messages, world } = parts;
  return { nodes: node.size, consuls: consul.size, networks: messages.size, worlds: world.size };
}

/** The state after an event; at once, unless real code that waits is part of it. */
export function step(state: State, event: Event, workshop: Workshop): Next | Promise<Next> {
  const next = new Next(state, workshop);
  const done = event.run(next);
  if (done === undefined) return normalised(next);
  return done.then(() => normalised(next));
}

function normalised(next: Next): Next {
  next.workshop.normaliser.normalise(next);
  return next;
}

/** Goes a way again, and tells it. */
async function tell(configuration: Configuration, path: readonly number[]): Promise<string[]> {
  const lines: string[] = [];
  const workshop = workshopFor(configuration);
  let state = firstState(configuration, workshop);
  for (const i of path) {
    const event = eventsOf(state, configuration)[i];
    if (event === undefined) throw new Error('the way cannot be gone again: the model is not deterministic');
    const next = await step(state, event, workshop);
    lines.push(lineOf(event, next));
    const { nodes, consul, messages, world } = next;
    state = { nodes, consul, world, messages: workshop.parts.messages.one(messages) };
  }
  return lines;
}

function lineOf({ text }: Event, { notes }: Next): string {
  const said = notes.join('; ');
  return text === '' || said === '' || text.endsWith(' ') ? text + said : `${text}: ${said}`;
}
