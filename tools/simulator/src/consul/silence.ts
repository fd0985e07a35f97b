import type { World } from '../world/world';

/** How often one that was frozen is found to go on, from when it was asked. */
const LOOK_MS = 100;

interface Waiting {
  readonly then: () => void;
  lookAt: number;
}

/** Those that do not answer now. What lies in their sockets they go on with once they do. */
export class Silence {
  private readonly waiting = new Map<string, Waiting[]>();

  constructor(private readonly world: World) {}

  has(name: string): boolean {
    return this.waiting.has(name);
  }

  add(name: string): void {
    if (!this.has(name)) this.waiting.set(name, []);
  }

  delete(name: string): void {
    const waiting = this.waiting.get(name) ?? [];
    this.waiting.delete(name);
    const now = this.world.now();
    for (const one of waiting) {
      while (one.lookAt < now) one.lookAt += LOOK_MS;
      this.world.schedule(one.lookAt - now, one.then);
    }
  }

  /** `then` is called a moment after the silence of `name` is over; it looks itself whether that is silent anew. */
  whenOver(name: string, then: () => void): void {
    // Nothing happens for it meanwhile: there may be hundreds that nobody waits for any more.
    this.waiting.get(name)?.push({ then, lookAt: this.world.now() + LOOK_MS });
  }
}
