import type { ConsulClient } from '@ha-postgres/consul-election';
import { errors } from './errors';

/** Writes over exactly what was read. @throws CodedError HAPG_COMMAND_OVERTAKEN if somebody wrote in between. */
export async function writeKey(client: ConsulClient, key: string, value: string, readIndex: number): Promise<void> {
  if (!(await client.kvPut(key, value, { cas: readIndex }))) throw overtaken(key);
}

/** Deletes exactly what was read. @throws CodedError HAPG_COMMAND_OVERTAKEN if somebody wrote in between. */
export async function deleteKey(client: ConsulClient, key: string, readIndex: number): Promise<void> {
  if (!(await client.kvDelete(key, { cas: readIndex }))) throw overtaken(key);
}

function overtaken(key: string): Error {
  return errors.HAPG_COMMAND_OVERTAKEN(`${key} was written by somebody else in between: nothing was changed`);
}
