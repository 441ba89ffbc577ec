/** Returns a promise that settles as `promise` does, or rejects when the signal aborts. */
export function abortable<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stopListening = () => signal?.removeEventListener("abort", onAbort);
    const onAbort = () => {
      stopListening();
      reject(signal!.reason);
    };
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort);
    // Bun takes fewer turns for `finally` than Node and Deno: the promise returned must not depend on it.
    promise.then(resolve, reject).finally(stopListening);
  });
}
