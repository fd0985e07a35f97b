import type { Figures, Result } from './result';
import { ROWS, type RowText } from './rows';

const HEAD = [
  '#',
  'fault',
  'what must hold',
  'half',
  'replication',
  'held',
  'runs',
  'writes out, median (worst)',
  'failed (ambiguous)',
  'lost',
  'writers at once',
  'failovers',
  'whole again, median (worst)',
];

/** `docs/faults.md`: every row, with what the last runs showed, or plainly that there is nothing. */
export function renderTable(results: readonly Result[]): string {
  const lines = ROWS.flatMap((row) =>
    linesOf(
      row,
      results.filter((result) => result.row === row.number),
    ),
  );
  const days = results.map(({ at }) => at.slice(0, 10)).sort();
  const when = days.length === 0 ? 'no run yet' : [...new Set([days[0], days.at(-1)])].join(' to ');
  return [
    '<!-- Written by tools/faults-table from the results of the last runs of tools/test fault. -->',
    '',
    '# Faults',
    '',
    'Each row is a test on a whole cluster of real processes (`e2e/src/faults/*.fault.spec.ts`): a client writes through each load balancer all the',
    'time, every 10 ms, and a prober tries a write on _every_ node each 200 ms past the load balancers and so counts writers. Afterwards the history is checked:',
    'what was acknowledged is there, nothing twice, nothing acknowledged that was sent after another node had acknowledged something in a higher term.',
    '`tools/test fault` runs the quick half, `tools/test fault --all` everything; nodes live in network namespaces of one machine, with three Consul servers, two load',
    'balancers and a prober at every node: outages are longer than those of the demo.',
    '',
    `Last results: ${when}.`,
    '',
    tableRow(HEAD),
    tableRow(HEAD.map(() => '---')),
    ...lines.map(tableRow),
    '',
    '- **half**: `quick` is run by continuous integration each time, `long` with `--all` alone.',
    '- **writes out**: the longest time between two acknowledged writes of a client of which the later came after the fault.',
    '- **failed**: writes through load balancers without an acknowledgement; ambiguous are those of them that may have been carried out.',
    '- **lost**: acknowledged, and not there at the end; “+ n” are writes of the prober, which reaches nodes that no load balancer leads to any more.',
    '- **whole again**: from the fault, or from its end if it has one, until every node streams and could take over. “by hand”: a data directory that held commits which nobody else had was emptied.',
    '',
  ].join('\n');
}

function linesOf({ number, fault, holds, left = 'not run' }: RowText, results: readonly Result[]): string[][] {
  if (results.length === 0) {
    const rest = HEAD.slice(6).map(() => '');
    return [[String(number), fault, holds, '', '', left, ...rest]];
  }
  return [...results]
    .sort((one, other) => one.variant.localeCompare(other.variant))
    .map((result) => [
      String(number),
      result.variant === '' ? fault : `${fault}: ${result.variant}`,
      holds,
      result.half,
      result.replication,
      result.failure === null ? 'yes' : `**no**: ${result.failure}`,
      ...figuresOf(result.runs),
    ]);
}

function figuresOf(runs: readonly Figures[]): string[] {
  const all = <Key extends keyof Figures>(key: Key) => runs.map((run) => run[key]);
  const byHand = runs.some(({ hands }) => hands > 0) ? ', by hand' : '';
  return [
    String(runs.length),
    medianAndWorst(all('writeOutageMs')),
    `${sum(all('failed'))} (${sum(all('ambiguous'))})`,
    lost(sum(all('lost')), sum(all('lostPastLoadBalancers'))),
    String(Math.max(0, ...all('writersAtOnce'))),
    [...new Set(all('failovers'))].sort((one, other) => one - other).join(', '),
    `${medianAndWorst(all('redundancyMs'))}${byHand}`,
  ];
}

function lost(ofClients: number, ofProber: number): string {
  return ofProber === 0 ? String(ofClients) : `${ofClients} + ${ofProber}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** In whole milliseconds below a second, in tenths of a second above. */
function medianAndWorst(values: readonly (number | null)[]): string {
  const sorted = values.filter((value) => value !== null).sort((one, other) => one - other);
  const worst = sorted.at(-1);
  if (worst === undefined) return '–';
  const median = sorted[Math.floor((sorted.length - 1) / 2)] ?? worst;
  return sorted.length === 1 ? time(worst) : `${time(median)} (${time(worst)})`;
}

function time(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

function tableRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replace(/\s+/g, ' ')).join(' | ')} |`;
}
