import { isGivenUp, parseRejoin } from '@ha-postgres/cluster-state';
import type { Facts } from '../facts';
import type { Parts } from '../parts';
import { LookAgain } from './look-again';

/** An administrator waits for what comes of it. */
const LOOK_MS = 1000;
const LIMIT_MS = 1000;

/** Whether this node may give up what it holds: not what it has come to hold since an administrator looked. */
export function isLeaveGiven({ rejoinLeave, runner }: Pick<Facts, 'rejoinLeave' | 'runner'>): boolean {
  if (rejoinLeave === null) return false;
  const { gives } = rejoinLeave;
  return gives === null || isGivenUp(gives, runner.known ? (runner.value.divergence ?? null) : null);
}

/** Whether an administrator lets this node lose commits: key `<node>/rejoin`, looked at only while the node must rejoin. */
export class RejoinLeaveWatch extends LookAgain {
  constructor(parts: Parts) {
    super(parts, LOOK_MS, { event: 'rejoin.key-unknown', text: 'could not read whether rejoining is allowed' });
  }

  protected async look(): Promise<void> {
    const { disk, facts } = this.parts;
    const { deadMaster, rejoining } = disk.record;
    if (deadMaster || rejoining !== null) await this.read();
    else facts.rejoinLeave = null;
  }

  private async read(): Promise<void> {
    const { client, keys, self, facts, disk, log, poke } = this.parts;
    const { entry } = await client.kvGet(keys.rejoin(self.node), { consistency: 'consistent', timeoutMs: LIMIT_MS });
    const parsed = entry === null ? null : parseRejoin(entry.value);
    if (parsed?.ok === false) log.warn({ event: 'consul.unreadable', why: parsed.why }, 'key rejoin cannot be read');
    const before = facts.rejoinLeave;
    if (entry === null || parsed?.ok !== true || parsed.value.id === disk.usedRejoin) facts.rejoinLeave = null;
    else {
      const { id, by, gives = null } = parsed.value;
      facts.rejoinLeave = { id, by, modifyIndex: entry.modifyIndex, gives };
    }
    if (before?.id === facts.rejoinLeave?.id) return;
    log.warn({ event: 'rejoin.allowed', leave: facts.rejoinLeave }, 'whether commits may be given up has changed');
    poke();
  }
}
