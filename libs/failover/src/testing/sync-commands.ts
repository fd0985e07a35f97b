import type { SyncMode, SyncRule } from '@ha-postgres/cluster-state';
import { parseLsn } from '@ha-postgres/lsn';
import type { Observation } from '../observation';
import type { SenderSight } from '../sync-transition';
import { currentRule, standbyNames } from '../sync-set';
import type { SyncWish } from '../sync-wish';
import type { Arguments } from './arguments';
import type { Command } from './commands';
import { known, syncValue, unknown } from './observations';

/** What a transcript says of synchronous replication. */
export const syncCommands: Readonly<Record<string, Command>> = {
  /** `sync quorum k=1 names=b,c [term=] [version=] [previous=1/a,b] [read=-5]`: the key, as read now. */
  sync: (o, args) => {
    const mode = args.name() as SyncMode;
    const before = o.sync.known ? o.sync.value.value : null;
    const names = list(args.text('names'));
    const version = args.number('version') ?? (before?.version ?? 2) + 1;
    const term = args.number('term') ?? o.hold?.term ?? 5;
    const value = syncValue({
      version,
      term,
      mode,
      k: args.number('k') ?? 1,
      names,
      previous: ruleOf(args.text('previous')),
    });
    const highestSyncVersion = Math.max(o.disk.highestSyncVersion, version);
    return {
      ...o,
      disk: { ...o.disk, highestSyncVersion },
      sync: known({ value, isReadable: true }, args.time('read') ?? o.now),
    };
  },
  'sync-gone': (o) => ({ ...o, sync: known({ value: null, isReadable: true }, o.now) }),
  'sync-garbage': (o) => ({ ...o, sync: known({ value: null, isReadable: false }, o.now) }),
  'sync-unknown': (o) => ({ ...o, sync: unknown('Consul has no leader') }),
  /** The server shows what the key says. */
  'names-in-place': (o) => {
    const rule = currentRule(o.sync.known ? o.sync.value.value : null);
    return { ...o, postgres: { ...o.postgres, readAt: o.now, synchronousStandbyNames: standbyNames(rule) } };
  },
  override: (o, args) => {
    const node = args.name();
    return { ...o, override: { id: 'o1', node, afterTerm: args.number('after') ?? 5, by: 'admin', why: 'test' } };
  },
  eligible: (o, args) => ({ ...o, eligibleReplicas: args.names() }),
  /** `senders c=0/5000000 a=0/5000000,uncounted`: what streams from here, as read now; the pid goes with the name. */
  senders: (o, args) => ({ ...o, postgres: { ...o.postgres, readAt: o.now, senders: args.names().map(senderOf) } }),
  checkpointed: (o, args) => ({ ...o, checkpointAt: args.time('at') ?? o.now }),
  admitted: (o) => ({ ...o, disk: { ...o.disk, admittedTerm: o.hold?.term ?? null } }),
};

export function wishOf(o: Observation, args: Arguments): SyncWish {
  const mode = args.text('replication') as SyncMode | undefined;
  const durability = args.has('available') ? 'available' : o.policy.sync.durability;
  return { mode: mode ?? o.policy.sync.mode, k: args.number('k') ?? o.policy.sync.k, durability };
}

export function standbyNamesOf(o: Observation, args: Arguments): { readonly synchronousStandbyNames?: string | null } {
  if (args.has('noNames')) return { synchronousStandbyNames: '' };
  return o.postgres.synchronousStandbyNames === undefined
    ? {}
    : { synchronousStandbyNames: o.postgres.synchronousStandbyNames };
}

function list(text: string | undefined): string[] {
  return text === undefined || text === '' ? [] : text.split(',');
}

/** `1/a,b`: one of a and b. */
function ruleOf(text: string | undefined): SyncRule | null {
  if (text === undefined) return null;
  const [k, names] = text.split('/');
  return { mode: 'quorum', k: Number(k), names: list(names) };
}

function senderOf(text: string): SenderSight {
  const [, name = '', flushed, uncounted] = /^([^=]+)=([^,]+)(,uncounted)?$/.exec(text) ?? [];
  if (flushed === undefined) throw new RangeError(`not a sender: ${text}`);
  const priority = uncounted === undefined ? 1 : 0;
  return { pid: 100 + name.charCodeAt(0), name, streaming: true, priority, flushed: parseLsn(flushed) };
}
