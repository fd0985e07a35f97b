import { readStateFile, writeStateFile } from '@ha-postgres/service-kit';
import type { StateStore } from './ports';

/** A value in a file that is written atomically and synced. */
export function fileStateStore(path: string): StateStore {
  return { name: path, read: () => readStateFile(path), write: (value) => writeStateFile(path, value) };
}
