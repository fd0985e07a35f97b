import { slotName } from '@ha-postgres/cluster-state';
import type { Effects, SlotSight } from '@ha-postgres/failover';
import { messageOf } from '@ha-postgres/service-kit';
import { NO_SLOTS } from '../facts';
import type { Parts } from '../parts';

const OWN_SLOTS = `
SELECT slot_name::text AS name, coalesce(wal_status = 'lost', false) AS lost
FROM pg_replication_slots WHERE slot_type = 'physical' AND slot_name ~ '^ha_[0-9]+_' ORDER BY slot_name`;
/** WAL is held back from now on, not only from when it is first used. */
const CREATE = `
SELECT pg_create_physical_replication_slot(name, true) FROM unnest($1::text[]) AS name
WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = name)`;
/** One that is in use cannot be dropped: its user has a moment to turn away. */
const DROP =
  'SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ANY($1) AND NOT active';
/** A change that did not take effect, or was refused (other slots take all that there may be, say), is not tried again at once. */
const UNCHANGED_MS = 2000;

export function slotEffects(parts: Parts): Pick<Effects, 'keepSlots'> {
  const { postgres, log, clock } = parts;
  return {
    keepSlots: async ({ create, drop }) => {
      const hasChanged = await change(create, drop).catch((error: unknown) => {
        log.warn({ event: 'slots.failed', why: messageOf(error) }, 'the replication slots could not be changed');
        return false;
      });
      if (!hasChanged) return clock.pause(UNCHANGED_MS);
      log.info({ event: 'slots.changed', created: create, dropped: drop }, 'changed the replication slots');
    },
  };

  /** False if the slots are then what they were. @throws ServerFailure */
  async function change(create: readonly string[], drop: readonly string[]): Promise<boolean> {
    const before = JSON.stringify(await readSlots(parts));
    if (drop.length > 0) await postgres.connection.query(DROP, [drop]);
    if (create.length > 0) await postgres.connection.query(CREATE, [create]);
    return before !== JSON.stringify(await readSlots(parts));
  }
}

/** The cluster's slots as they are now. @throws ServerFailure */
export async function readSlots({ facts, postgres, clock, poke }: Parts): Promise<readonly SlotSight[]> {
  const value = await postgres.connection.query<SlotSight>(OWN_SLOTS);
  const before = facts.slots;
  facts.slots = { known: true, value, seenAt: clock.now() };
  if (!before.known || JSON.stringify(before.value) !== JSON.stringify(value)) poke();
  return value;
}

/**
 * Slots for all members, while the lock's phase is being written: neither waits for the other. What Replicas read of it mostly names
 * their slots already, so that they need not connect twice.
 */
export async function makeFirstSlots(parts: Parts, term: number): Promise<void> {
  const { consul, facts, postgres, self, log } = parts;
  facts.slots = NO_SLOTS;
  const others = consul.members.known ? consul.members.value.members.filter(({ node }) => node !== self.node) : [];
  if (others.length === 0) return;
  try {
    await postgres.connection.query(CREATE, [others.map(({ node }) => slotName(term, node))]);
    await readSlots(parts);
  } catch (error) {
    log.warn({ event: 'slots.failed', why: messageOf(error) }, 'the replication slots could not be made yet');
  }
}

/** The members that have a slot here which they may use. */
export function nodesWithSlot({ facts, consul }: Pick<Parts, 'facts' | 'consul'>, term: number): readonly string[] {
  const { slots } = facts;
  if (!slots.known || !consul.members.known) return [];
  const usable = new Set(slots.value.filter(({ lost }) => !lost).map(({ name }) => name));
  return consul.members.value.members.map(({ node }) => node).filter((node) => usable.has(slotName(term, node)));
}
