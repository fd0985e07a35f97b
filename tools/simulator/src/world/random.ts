/** Chance that a seed determines: the same seed gives the same numbers for ever (sfc32, Chris Doty-Humphrey's PractRand). */
export class Random {
  private a = 0;
  private b = 0;
  private c = 0;
  private counter = 1;

  constructor(seed: number, stream = 0) {
    this.a = seed >>> 0;
    this.b = (Math.floor(seed / 0x1_0000_0000) ^ Math.imul(stream + 1, 0x9e3779b1)) >>> 0;
    this.c = (stream * 0x85ebca6b + 0x27d4eb2f) >>> 0;
    for (let i = 0; i < 15; i += 1) this.next();
  }

  /** In [0, 1). */
  next(): number {
    const t = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + t) | 0;
    return (t >>> 0) / 0x1_0000_0000;
  }

  /** In [from, to). */
  between(from: number, to: number): number {
    return from + this.next() * (to - from);
  }

  /** A whole number in [from, to]. */
  whole(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** @throws RangeError from an empty list. */
  pick<T>(from: readonly T[]): T {
    const found = from[Math.floor(this.next() * from.length)];
    if (found === undefined) throw new RangeError('nothing to pick from');
    return found;
  }

  /** Small values often, large ones seldom: `from` to `to`, evenly over orders of magnitude. */
  magnitude(from: number, to: number): number {
    return from * Math.exp(this.next() * Math.log(to / from));
  }
}
