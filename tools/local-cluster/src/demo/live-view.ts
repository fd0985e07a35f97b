import { frame } from './frame';
import { NodeLook, type NodeRow } from './node-rows';
import { Screen, type Output } from './screen';
import type { Stage } from './stage';

const REFRESH_MS = 500;
/** On a pipe or file: one line so often. */
const COUNT_EVERY_MS = 5_000;
/** The title, and the table but for its one line for each node. */
const TABLE_LINES = 5;

/** Shows a stage: on a terminal as a picture that is refreshed in place, elsewhere as plain lines. */
export class LiveView {
  private readonly screen: Screen;
  private readonly look = new NodeLook();
  private timer: NodeJS.Timeout | null = null;
  private stage: Stage | null = null;
  private rows: readonly NodeRow[] = [];
  private isLooking = false;

  constructor(private readonly output: Output) {
    this.screen = new Screen(output);
  }

  begin(stage: Stage): void {
    this.stage = stage;
    this.timer = this.screen.isLive
      ? setInterval(() => void this.refresh(), REFRESH_MS)
      : setInterval(() => this.count(), COUNT_EVERY_MS);
  }

  /** An event has been added to the list. */
  event(line: string): void {
    if (this.screen.isLive) this.draw();
    else this.output.write(`${line}\n`);
  }

  end(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
    this.draw();
    this.stage = null;
    this.look.close();
    this.screen.end();
  }

  private async refresh(): Promise<void> {
    if (this.isLooking || this.stage === null) return;
    this.isLooking = true;
    try {
      this.rows = await this.look.rows(this.stage.cluster.describe());
      this.draw();
    } finally {
      this.isLooking = false;
    }
  }

  private draw(): void {
    if (this.stage === null || !this.screen.isLive) return;
    const { history, events, cluster } = this.stage;
    const room = this.screen.rows - 1 - TABLE_LINES - cluster.describe().nodes.length;
    this.screen.show(frame(history, this.rows, events.last(room)));
  }

  private count(): void {
    const { attempts, failed } = this.stage?.history ?? { attempts: 0, failed: 0 };
    if (attempts > 0) this.output.write(`Client inserts: ${attempts} attempts, ${failed} failed\n`);
  }
}
