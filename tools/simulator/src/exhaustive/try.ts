import { CONFIGURATIONS } from './configurations';
import { explore } from './explore';

const overrides = JSON.parse(process.argv[2] ?? '{}') as object;
const depth = process.argv[3] === undefined ? null : Number(process.argv[3]);
const first = CONFIGURATIONS.find(({ name }) => name === process.argv[5]) ?? CONFIGURATIONS[0];
if (first === undefined) throw new Error();
void explore({ ...first, depth, ...overrides }, {
  states: Number(process.argv[4] ?? 3e6),
  onDepth: (d, states) => process.stdout.write(`${String(d)} ${String(states)} ${String(Math.round(process.cpuUsage().user / 1e6))}s ${String(Math.round(process.memoryUsage().rss / 1e6))}MB\n`),
}).then((r) => {
  process.stdout.write(`${JSON.stringify({ ...r, found: r.found?.what }, null, 1)}\n`);
  r.found?.path.forEach((line, i) => process.stdout.write(`${String(i + 1).padStart(3)}  ${line}\n`));
});
