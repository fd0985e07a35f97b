import { CONFIGURATIONS } from './configurations';
import { eventsOf } from './events';
import { firstState, step, workshopFor } from './explore';
import { StateStore } from './state-store';

const configuration = { ...CONFIGURATIONS[0]!, ...(JSON.parse(process.argv[2] ?? '{}') as object) };
void (async () => {
  const workshop = workshopFor(configuration);
  const store = new StateStore(workshop.parts);
  store.add(firstState(configuration, workshop), 0, 0);
  const max = Number(process.argv[3] ?? 50000);
  for (let i = 0; i < store.size && store.size < max; i += 1) {
    const state = store.get(i);
    for (const [e, event] of eventsOf(state, configuration).entries()) {
      const next = await step(state, event, workshop);
      store.add(next, i, e);
    }
  }
  const nets = new Map<string, number>();
  for (let i = 0; i < store.size; i += 1) for (const m of store.get(i).messages) { const t = JSON.stringify(m); nets.set(t, (nets.get(t) ?? 0) + 1); }
  process.stdout.write(`${String(workshop.parts.messages.size)} networks, ${String(nets.size)} messages\n`);
  for (const [t, n] of [...nets].sort((a, b) => b[1] - a[1]).slice(0, 0)) process.stdout.write(`${String(n)} ${t}\n`);
  const cs = new Map<string, number>();
  for (let i = 0; i < store.size; i += 1) { const t = JSON.stringify(store.get(i).consul); cs.set(t, (cs.get(t) ?? 0) + 1); }
  for (const [t, n] of [...cs].sort((a, b) => b[1] - a[1]).slice(0, 60)) process.stdout.write(`${String(n)} ${t}\n`);
  for (const which of [0, 1]) {
    const parts = new Set<object>();
    for (let i = 0; i < store.size; i += 1) parts.add(store.get(i).nodes[which]!);
    const seen = new Map<string, Map<string, number>>();
    const walk = (path: string, value: unknown) => {
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        for (const [k, v] of Object.entries(value)) walk(`${path}.${k}`, v);
        return;
      }
      const all = seen.get(path) ?? new Map<string, number>();
      const t = JSON.stringify(value);
      all.set(t, (all.get(t) ?? 0) + 1);
      seen.set(path, all);
    };
    for (const part of parts) walk('', part);
    process.stdout.write(`node ${String(which)}: ${String(parts.size)}\n`);
    for (const [path, all] of seen) if (all.size > 1) process.stdout.write(`  ${path}: ${[...all].sort((a, b) => b[1] - a[1]).slice(0, 12).map(([k, v]) => `${k}×${String(v)}`).join(' ')}\n`);
  }
})();
