import { messageOf, parseDuration, parseSize } from '@ha-postgres/service-kit';
import type { Request } from 'express';
import type { Wanted } from './readiness';
import { Refusal } from './refusal';

/** The longest that an asker may be held. */
const WAIT_MS_MAX = 60_000;
const WAIT_MS_DEFAULT = 30_000;

type Readers<T> = { readonly [K in keyof T]-?: (text: string) => NonNullable<T[K]> };

/**
 * Reads the query with one reader for each parameter. A parameter that is unknown, repeated or unreadable is refused: a
 * misspelt `?rol=Master` must not be taken for a check without conditions.
 */
function readQuery<T extends object>(request: Request, readers: Readers<T>): Partial<T> {
  const entries = Object.entries(request.query).map(([name, text]) => {
    if (!Object.hasOwn(readers, name))
      throw new Refusal(400, 'HAPG_BAD_PARAMETER', `there is no parameter ${name}`, name);
    if (typeof text !== 'string') throw new Refusal(400, 'HAPG_BAD_PARAMETER', `${name} is given more than once`, name);
    return [name, readParameter(name, text, readers[name as keyof T])] as const;
  });
  return Object.fromEntries(entries) as Partial<T>;
}

function readParameter<T>(name: string, text: string, reader: (text: string) => T): T {
  try {
    return reader(text);
  } catch (error) {
    throw new Refusal(400, 'HAPG_BAD_PARAMETER', `${name}: ${messageOf(error)}`, name);
  }
}

function readRole(text: string): NonNullable<Wanted['role']> {
  if (text === 'Master' || text === 'Replica') return text;
  throw new RangeError(`${JSON.stringify(text)} is neither Master nor Replica`);
}

function readIndex(text: string): number {
  const index = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(index)) throw new RangeError(`${JSON.stringify(text)} is not an index`);
  return index;
}

function readWait(text: string): number {
  const waitMs = parseDuration(text);
  if (waitMs > WAIT_MS_MAX) throw new RangeError(`${JSON.stringify(text)} is more than ${WAIT_MS_MAX} ms`);
  return waitMs;
}

/** `?role=` and `?lag=` of a readiness check; `roles` tells whether the path lets the asker choose a role. */
export function readWanted(request: Request, roles: 'any' | NonNullable<Wanted['role']>): Wanted {
  if (roles === 'any') {
    const { role, lag } = readQuery<{ role: NonNullable<Wanted['role']>; lag: number }>(request, {
      role: readRole,
      lag: parseSize,
    });
    return { ...(role === undefined ? {} : { role }), ...(lag === undefined ? {} : { lagBytesMax: lag }) };
  }
  const { lag } = readQuery<{ lag: number }>(request, { lag: parseSize });
  return { role: roles, ...(lag === undefined ? {} : { lagBytesMax: lag }) };
}

/** `?index=` and `?wait=` of a long poll; without an index the answer is given at once. */
export function readLongPoll(request: Request): { index: number; waitMs: number } | undefined {
  const { index, wait } = readQuery<{ index: number; wait: number }>(request, { index: readIndex, wait: readWait });
  return index === undefined ? undefined : { index, waitMs: wait ?? WAIT_MS_DEFAULT };
}
