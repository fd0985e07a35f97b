import type { LastMaster, MasterValue, NodeAddress } from '@ha-postgres/cluster-state';
import type { Name, Phase, Term } from './state';

/** Every node has the same data: who has more of it is not what is looked at here. */
export const LSN = '0/5000000';
export const SYSTEM_ID = '7000000000000000001';

/** What of a `master` value can differ in this model. */
export interface Told {
  readonly node: Name;
  readonly term: number;
  readonly beat: number;
  readonly phase: Phase;
  readonly released: boolean;
  readonly successor: string | null;
  readonly last: Term;
}

export function addressOf(node: string): NodeAddress {
  return { node, host: node, port: 5432, apiPort: 8080 };
}

export function lastMasterOf({ node, term }: Term): LastMaster {
  return { node, term, timeline: 1, lsn: LSN };
}

/** The text that stands in Consul; short, as states are compared by it. */
export function textOf({ node, term, beat, phase, released, successor, last }: Told): string {
  return [node, term, beat, phase, released ? 'released' : '', successor ?? '', last.node, last.term].join(',');
}

const read = new Map<string, Told>();
const values = new Map<string, MasterValue>();

export function toldIn(text: string): Told {
  const known = read.get(text);
  if (known !== undefined) return known;
  const [node = '', term = '', beat = '', phase = '', released = '', successor = '', lastNode = '', lastTerm = ''] =
    text.split(',');
  const told: Told = {
    node: node as Name,
    term: Number(term),
    beat: Number(beat),
    phase: phase as Phase,
    released: released !== '',
    successor: successor === '' ? null : successor,
    last: { node: lastNode, term: Number(lastTerm) },
  };
  read.set(text, told);
  return told;
}

/** The same value as another beat of it; 0: where the number of the beat does not matter. */
export function withBeat(text: string, beat: number): string {
  const told = toldIn(text);
  return told.beat === beat ? text : textOf({ ...told, beat });
}

/** As the nodes read it. */
export function masterValueOf(text: string): MasterValue {
  const known = values.get(text);
  if (known !== undefined) return known;
  const { node, term, beat, phase, released, successor, last } = toldIn(text);
  const value: MasterValue = {
    ...addressOf(node),
    ...{ term, beat, phase, timeline: 1, lsn: LSN, lsnExact: false, released, successor },
    last: lastMasterOf(last),
  };
  values.set(text, value);
  return value;
}
