/** Who waits for the end of which signal. All queries of a watch wait for the same, and Node's own list of listeners takes far longer. */
export class Aborts {
  private readonly waiting = new WeakMap<AbortSignal, Set<() => void>>();

  add(signal: AbortSignal, onAbort: () => void): void {
    const waiting = this.waiting.get(signal) ?? this.begin(signal);
    waiting.add(onAbort);
  }

  delete(signal: AbortSignal, onAbort: () => void): void {
    this.waiting.get(signal)?.delete(onAbort);
  }

  private begin(signal: AbortSignal): Set<() => void> {
    const waiting = new Set<() => void>();
    this.waiting.set(signal, waiting);
    signal.addEventListener('abort', () => {
      for (const onAbort of [...waiting]) onAbort();
    });
    return waiting;
  }
}
