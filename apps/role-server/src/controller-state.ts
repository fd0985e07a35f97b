import { ROLES, type ControllerState, type Role } from '@ha-postgres/cluster-state';
import { errors } from './errors';

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What this service itself relies on; the rest is passed on as it came. */
const CHECKS: Readonly<Record<string, (value: unknown) => boolean>> = {
  index: (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  bootId: (value) => typeof value === 'string',
  node: (value) => typeof value === 'string',
  role: (value) => value === null || ROLES.includes(value as Role),
  validUntil: (value) => typeof value === 'string' && /^\d{1,19}$/.test(value),
  term: (value) => Number.isSafeInteger(value),
  instruction: (value) => isFields(value) && typeof value.kind === 'string',
  master: (value) => value === null || isFields(value),
  ready: (value) => typeof value === 'boolean',
  readyWhy: (value) => typeof value === 'string',
  lagBytes: (value) => value === null || typeof value === 'number',
  whyNoReads: (value) => value === undefined || value === null || typeof value === 'string',
};

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw errors.HAPG_CONTROLLER_STATE_INVALID(
      `db-controller's state is not JSON: ${JSON.stringify(text.slice(0, 100))}`,
      { cause },
    );
  }
}

/**
 * Reads what db-controller publishes.
 * @throws CodedError HAPG_CONTROLLER_STATE_INVALID which names the fields that are wrong.
 */
export function parseControllerState(text: string): ControllerState {
  const value = parse(text);
  const fields = isFields(value) ? value : {};
  const wrong = Object.entries(CHECKS).filter(([name, isRight]) => !isRight(fields[name]));
  if (wrong.length === 0) return value as ControllerState;
  const named = wrong.map(([name]) => `${name}: ${name in fields ? JSON.stringify(fields[name]) : 'missing'}`);
  throw errors.HAPG_CONTROLLER_STATE_INVALID(`db-controller's state is not as agreed: ${named.join(', ')}`);
}
