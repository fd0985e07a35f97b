/**
 * What an error means for the program: *operating* (the world is not as wished: the next cycle tries again),
 * *configuration* (a person has to change something: exit 78 before anything is opened), *invariant* (the program is
 * wrong or was lied to: fence and exit 70).
 */
export type ErrorFamily = 'operating' | 'configuration' | 'invariant';

/** A code of the catalogue; ask for it rather than for a class or a message. */
export type ErrorCode = `HAPG_${string}`;

export interface ErrorEntry {
  readonly family: ErrorFamily;
  /** What a person can do about it, in one or two sentences. */
  readonly help: string;
}

/** Exit codes after sysexits(3): what a supervisor sees of an error's family. */
const EXIT_CODES: Record<ErrorFamily, number> = { configuration: 78, operating: 70, invariant: 70 };

/** An error of the catalogue: a code that stays, a family, help for people, and the original error in `cause`. */
export class CodedError extends Error {
  readonly code: ErrorCode;
  readonly family: ErrorFamily;
  readonly help: string;

  constructor(code: ErrorCode, entry: ErrorEntry, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'CodedError';
    this.code = code;
    this.family = entry.family;
    this.help = entry.help;
  }

  /** The process's exit code if this error ends it. */
  get exitCode(): number {
    return EXIT_CODES[this.family];
  }
}

export type ErrorFactory = (message: string, options?: { cause?: unknown }) => CodedError;

/**
 * Makes one factory for each entry of a catalogue:
 * `const errors = defineErrors({ HAPG_X: { family: 'operating', help: '…' } }); throw errors.HAPG_X('what, with the bad value')`.
 */
export function defineErrors<const T extends Record<ErrorCode, ErrorEntry>>(
  catalogue: T,
): Readonly<Record<keyof T & ErrorCode, ErrorFactory>> {
  const factories = Object.entries<ErrorEntry>(catalogue).map(([code, entry]) => [
    code,
    (message: string, options?: { cause?: unknown }) => new CodedError(code as ErrorCode, entry, message, options),
  ]);
  return Object.fromEntries(factories) as Readonly<Record<keyof T & ErrorCode, ErrorFactory>>;
}

/** The exit code that an arbitrary thrown value ends the process with: 70 unless the catalogue says otherwise. */
export function exitCodeOf(error: unknown): number {
  return error instanceof CodedError ? error.exitCode : 70;
}

function textOf(error: unknown, property: 'code' | 'message'): string | undefined {
  const value: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, property) : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** The error's code, whether it is of the catalogue or Node's own (`ECONNREFUSED`); undefined if it has none. */
export function codeOf(error: unknown): string | undefined {
  return textOf(error, 'code');
}

/** What was thrown, in words; anything can be thrown. */
export function messageOf(error: unknown): string {
  return textOf(error, 'message') ?? String(error);
}
