import type { BeatResult, Written } from '@ha-postgres/consul-election';
import type { Parts } from '../parts';

/** What was written is known at once, without waiting for the watch. */
export function learn({ consul, poke }: Parts, result: Written, key: string, value: string): void {
  const entry = result.entries.find((written) => written.key === key);
  if (entry === undefined) return;
  // Consul returns no values from a transaction's writes.
  const written = { ...entry, value };
  if (key.endsWith('/members')) consul.sawMembers(written, result);
  else if (key.endsWith('/sync')) consul.sawSync(written, result);
  else consul.sawHistory(written, result);
  poke();
}

/** A refused write leaves the lock as it was; mostly the key had moved. */
export async function rereadAfter({ consul, log }: Parts, result: BeatResult): Promise<void> {
  if (result.done || result.why === 'unanswered') return;
  log.warn({ event: 'lease.write-refused', why: result.why }, 'a write beside a beat was refused: reads again');
  await consul.reread();
}
