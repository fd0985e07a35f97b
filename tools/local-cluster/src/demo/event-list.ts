import { monotonicNow, type Millis } from '@ha-postgres/service-kit';

/** What happened, in words, with the time since the demo began. */
export class EventList {
  private readonly startedAt: Millis = monotonicNow();
  private readonly lines: string[] = [];

  constructor(private readonly onLine: (line: string) => void) {}

  add(text: string): void {
    const seconds = ((monotonicNow() - this.startedAt) / 1_000).toFixed(3).padStart(8);
    const line = `${seconds} s  ${text}`;
    this.lines.push(line);
    this.onLine(line);
  }

  /** The newest ones, oldest first. */
  last(count: number): readonly string[] {
    return count > 0 ? this.lines.slice(-count) : [];
  }
}
