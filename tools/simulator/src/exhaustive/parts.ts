/**
 * Each different part of a state once: millions of states share few parts, and whatever was worked out for one is known for all of
 * them. A part that was handed out here is recognised without being looked at, and must not be changed.
 */
export class Parts<T extends object> {
  private readonly ids = new Map<string, number>();
  private readonly known = new WeakMap<T, number>();
  private readonly parts: T[] = [];
  private readonly texts: string[] = [];

  get size(): number {
    return this.parts.length;
  }

  idOf(part: T): number {
    const known = this.known.get(part);
    if (known !== undefined) return known;
    const text = JSON.stringify(part);
    const found = this.ids.get(text);
    if (found !== undefined) return found;
    const id = this.parts.length;
    this.parts.push(part);
    this.ids.set(text, id);
    this.texts.push(text);
    this.known.set(part, id);
    return id;
  }

  get(id: number): T {
    const part = this.parts[id];
    if (part === undefined) throw new Error(`no part ${id}`);
    return part;
  }

  /** The same for the same part, whenever it was first seen. */
  textOf(part: T): string {
    return this.texts[this.idOf(part)] ?? '';
  }

  /** The one that stands for all that are like it. */
  one(part: T): T {
    return this.get(this.idOf(part));
  }
}
