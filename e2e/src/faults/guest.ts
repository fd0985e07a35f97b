import { randomBytes } from 'node:crypto';
import { query } from '../client';
import { eventually } from '../wait-for';
import type { Fault } from './fault';

export interface Guest {
  readonly user: string;
  readonly password: string;
}

/** A user like any application's: what is reserved for others is not for it. */
export async function newGuest({ described, master, replicas }: Fault): Promise<Guest> {
  const guest = { user: `guest_${randomBytes(4).toString('hex')}`, password: randomBytes(8).toString('hex') };
  await query(described, master.postgresPort, `CREATE ROLE ${guest.user} LOGIN PASSWORD '${guest.password}'`);
  for (const { name, postgresPort } of replicas) {
    await eventually(`the user on ${name}`, async () => {
      const rows = await query(described, postgresPort, `SELECT 1 FROM pg_roles WHERE rolname = '${guest.user}'`);
      return rows.length > 0;
    });
  }
  return guest;
}
