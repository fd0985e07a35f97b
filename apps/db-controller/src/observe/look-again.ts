import { messageOf, type Millis, type Timer } from '@ha-postgres/service-kit';
import type { Parts } from '../parts';
import { untilTogether } from './together';

/** What is said of a look that failed. */
interface Failure {
  readonly event: string;
  readonly text: string;
}

/** Looks at one thing again and again while the process lives. After a look that failed, which is told, the next may succeed. */
export abstract class LookAgain {
  private timer: Timer | null = null;
  private stopped = false;

  constructor(
    protected readonly parts: Parts,
    private readonly everyMs: Millis,
    private readonly failure: Failure,
  ) {}

  start(): void {
    void this.again();
  }

  stop(): void {
    this.stopped = true;
    this.timer?.cancel();
  }

  protected abstract look(): Promise<void>;

  private async again(): Promise<void> {
    const { log, clock } = this.parts;
    try {
      await this.look();
    } catch (error) {
      const { event, text } = this.failure;
      log.debug({ event, why: messageOf(error) }, text);
    }
    const inMs = untilTogether(clock.now(), this.everyMs);
    if (!this.stopped) this.timer = clock.schedule(inMs, () => void this.again());
  }
}
