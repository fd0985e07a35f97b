import { silentLog, type Log } from '@ha-postgres/service-kit';
import type { SimNode } from './node';

type Fields = Readonly<Record<string, unknown>>;

/** What a transcript leaves out of the fields of an event: it stands in the line already, or is of no use to a reader. */
const SILENT = new Set(['event', 'config', 'err']);

function text(fields: Fields): string {
  return Object.entries(fields)
    .filter(([name, value]) => !SILENT.has(name) && value !== undefined)
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}

function tell(node: SimNode, who: string, fields: object): void {
  const { event } = fields as { readonly event?: string };
  node.world.tell(node.name, () => `${who.padEnd(10)} ${event ?? ''} ${text(fields as Fields)}`);
}

/** Counts which rules decided, and writes what happens into the transcript. */
export function controllerLog(node: SimNode): Log {
  const say = (fields: object): void => tell(node, 'controller', fields);
  const info = (fields: object): void => {
    const { event, rule } = fields as { readonly event?: string; readonly rule?: string };
    if (event === 'rule.changed' && rule !== undefined) node.cluster.coverage.decided(rule);
    say(fields);
  };
  return { ...silentLog, info, warn: say, error: say, fatal: say };
}

export function runnerLog(node: SimNode): Log {
  const say = (fields: object): void => tell(node, 'runner', fields);
  const debug = (fields: object): void => {
    const { event, rule } = fields as { readonly event?: string; readonly rule?: string };
    if (event === 'plan' && rule !== undefined) node.cluster.coverage.planned(rule);
  };
  return { ...silentLog, debug, info: say, warn: say, error: say, fatal: say };
}
