import { createInterface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import { errors } from './errors';

type Input = Readable & { readonly isTTY?: boolean };
type Output = Writable & { readonly isTTY?: boolean };

/** Where a command says what it has to say, and asks. */
export class Terminal {
  constructor(
    private readonly input: Input,
    private readonly output: Output,
    private readonly errorOutput: Output,
  ) {}

  /** What was asked for: goes to standard output. */
  print(text: string): void {
    this.output.write(`${text}\n`);
  }

  json(value: unknown): void {
    this.print(JSON.stringify(value, null, 2));
  }

  /** What happens meanwhile: goes to standard error, so that output can be piped. */
  note(text: string): void {
    this.errorOutput.write(`${text}\n`);
  }

  /** A new picture in place of the last one; where that cannot be, below it. */
  redraw(text: string): void {
    this.output.write(this.output.isTTY === true ? `\u001b[H\u001b[2J${text}\n` : `${text}\n\n`);
  }

  /** Asks before something that cannot be taken back. @throws CodedError if the answer is not yes, or nobody can be asked. */
  async confirm(what: readonly string[], isConfirmed: boolean, signal: AbortSignal): Promise<void> {
    for (const line of what) this.note(line);
    if (isConfirmed) return;
    if (this.input.isTTY !== true)
      throw errors.HAPG_COMMAND_UNCONFIRMED('standard input is no terminal: give --yes to confirm');
    const asking = createInterface({ input: this.input, output: this.errorOutput });
    try {
      const answer = await asking.question('Type yes to go on: ', { signal });
      if (answer.trim() !== 'yes')
        throw errors.HAPG_COMMAND_UNCONFIRMED(`answered ${JSON.stringify(answer)}: nothing was done`);
    } finally {
      asking.close();
    }
  }
}
