import { copied } from './copied';
import { firstState, workshopFor } from './explore';
import type { Beat, State } from './state';
import { withBeat } from './values';
import { ONE, must } from './testing';

const configuration = ONE;
const workshop = workshopFor(configuration);

function made(change: (state: State) => void): string {
  const { parts, normaliser } = workshop;
  const { nodes, consul, messages, world } = copied(firstState(configuration, workshop));
  const state: State = { nodes, consul, messages, world };
  change(state);
  state.nodes = state.nodes.map((node) => parts.node.one(node));
  state.consul = parts.consul.one(state.consul);
  state.messages = state.messages.map((message) => parts.message.one(message));
  normaliser.normalise(state);
  return JSON.stringify(state);
}

const beat = (number: number, state: State): Beat => ({
  ...{ kind: 'beat', node: 'a', session: 'a2', sentAt: 0, result: null, number, also: null, why: 'beat' },
  value: withBeat(state.consul.master.value, number),
});

function rewrite(state: State, index: number): void {
  state.consul.master.index = index;
  must(state.nodes[1]?.controller?.master).entry.index = index;
  must(state.nodes[0]?.controller?.hold).record.standingIndex = index;
}

test('how high an index is does not matter, only what it is equal to', () => {
  expect(made((state) => rewrite(state, 7))).toBe(made((state) => rewrite(state, 1000)));
  expect(made((state) => void (state.consul.master.index = 7))).not.toBe(made((state) => rewrite(state, 7)));
});

test('when something was seen that is not so any more does not matter, but when it is so still', () => {
  const seen = (ago: number, index: number) =>
    made((state) => {
      state.consul.master.index = index;
      Object.assign(must(state.nodes[1]?.controller?.master), { firstSeen: -ago, confirmed: -ago });
    });
  expect(seen(1, 9)).toBe(seen(3, 9));
  expect(seen(1, 2)).not.toBe(seen(3, 2));
});

test('requests have no order, and beats only that of their numbers', () => {
  const two = (first: number, second: number) =>
    made((state) => void (state.messages = [beat(first, state), beat(second, state)]));
  expect(two(1, 2)).toBe(two(9, 5));
});

test('a beat is another than the value that stands', () => {
  const state = JSON.parse(made((one) => void (one.messages = [beat(1000, one)]))) as State;
  expect(must(state.messages[0]).value).not.toBe(state.consul.master.value);
});

test('an answer that nobody waits for is dropped, and a session that can do nothing', () => {
  const crashed = (messages: (state: State) => State['messages']) =>
    made((state) => {
      state.messages = messages(state);
      must(state.nodes[0]).controller = null;
      state.consul.master.session = null;
    });
  const answer = (state: State): Beat => ({ ...beat(1, state), result: { committed: true, entries: [] } });
  expect(crashed((state) => [answer(state)])).toBe(crashed(() => []));
  expect((JSON.parse(crashed(() => [])) as State).consul.sessions).toEqual([]);
});
