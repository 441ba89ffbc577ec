const END = { done: true, value: undefined } as const;

/**
 * Reads what is still being loaded; whoever leaves before it is there leaves it then. Where the
 * client is closed before, there is nothing to read.
 */
export function lateIterator<T>(
  part: Promise<AsyncIterableIterator<T, undefined>>,
): AsyncIterableIterator<T, undefined> {
  const reader = part.catch((error) => {
    if (error.code !== "closed") throw error;
  });
  // Whoever reads is told.
  reader.catch(() => {});
  return {
    next: async () => await (await reader)?.next() ?? END,
    return: () => reader.then((it) => it?.return?.() ?? END, () => END),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
