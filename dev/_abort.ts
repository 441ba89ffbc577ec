const callbacks = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls back when a signal is aborted; gives what forgets that. Thousands may wait on one signal: its
 * own listeners are searched through with every one that is added.
 */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  let waiting = callbacks.get(signal);
  if (!waiting) {
    const added = new Set<() => void>();
    waiting = added;
    callbacks.set(signal, added);
    const call = () => {
      for (const one of [...added]) one();
    };
    signal.addEventListener("abort", call, { once: true });
  }
  waiting.add(callback);
  return () => waiting.delete(callback);
}
