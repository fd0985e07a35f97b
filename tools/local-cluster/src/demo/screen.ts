/** What is written to; rows and columns are undefined where it is no terminal. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly rows?: number;
  readonly columns?: number;
}

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';

/** Shows a picture in place of the one before: goes up over it, clears to the end of the screen, and writes the new one. */
export class Screen {
  private height = 0;

  constructor(private readonly output: Output) {}

  get isLive(): boolean {
    return this.output.isTTY === true;
  }

  /** Lines that fit below each other; a picture that scrolls cannot be replaced. */
  get rows(): number {
    return this.output.rows ?? 24;
  }

  /** Lines are cut at the terminal's width: one that wraps would make the picture higher than it seems. */
  show(picture: string): void {
    const lines = picture.split('\n').slice(0, this.rows - 1);
    const up = this.height > 0 ? `\u001b[${this.height}F` : HIDE_CURSOR;
    this.height = lines.length;
    this.output.write(`${up}\u001b[J${lines.map((line) => this.cut(line)).join('\n')}\n`);
  }

  /** Leaves the last picture standing and writes lines below it. */
  end(): void {
    if (this.height > 0) this.output.write(SHOW_CURSOR);
    this.height = 0;
  }

  private cut(line: string): string {
    const columns = this.output.columns ?? Number.POSITIVE_INFINITY;
    return line.length > columns ? line.slice(0, columns) : line;
  }
}
