import type { Millis } from '../observation';

/** The words behind a transcript's command: names first, then `key=value` and flags in any order. */
export class Arguments {
  private readonly unread: Set<string>;

  constructor(
    readonly line: string,
    private readonly words: readonly string[],
    private readonly now: Millis,
  ) {
    this.unread = new Set(words);
  }

  /** The first word. */
  name(): string {
    const [word] = this.words;
    if (word === undefined) throw new RangeError(`a word is missing: ${this.line}`);
    this.unread.delete(word);
    return word;
  }

  names(): string[] {
    this.unread.clear();
    return [...this.words];
  }

  has(flag: string): boolean {
    return this.unread.delete(flag);
  }

  text(key: string): string | undefined {
    const word = this.words.find((one) => one.startsWith(`${key}=`));
    if (word === undefined) return undefined;
    this.unread.delete(word);
    return word.slice(key.length + 1);
  }

  number(key: string): number | undefined {
    const text = this.text(key);
    return text === undefined ? undefined : toNumber(text, this.line);
  }

  /** `+300` and `-300` count from now. */
  time(key: string): Millis | undefined {
    const text = this.text(key);
    if (text === undefined) return undefined;
    return /^[+-]/.test(text) ? this.now + toNumber(text, this.line) : toNumber(text, this.line);
  }

  /** @throws RangeError if a word meant nothing to the command: a misspelt one must not pass. */
  done(): void {
    if (this.unread.size > 0) throw new RangeError(`not understood: ${[...this.unread].join(' ')} in: ${this.line}`);
  }
}

function toNumber(text: string, line: string): number {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value)) throw new RangeError(`not a number: ${text} in: ${line}`);
  return value;
}

/** Without the properties that are undefined, which would otherwise hide what stood there before. */
export function given<T extends object>(properties: { readonly [K in keyof T]: T[K] | undefined }): Partial<T> {
  const entries = Object.entries(properties).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<T>;
}
