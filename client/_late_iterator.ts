/** Reads what is still being loaded; whoever leaves before it is there leaves it then. */
export function lateIterator<T>(
  part: Promise<AsyncIterableIterator<T, undefined>>,
): AsyncIterableIterator<T, undefined> {
  // Whoever reads is told.
  part.catch(() => {});
  return {
    next: async () => await (await part).next(),
    return: () => part.then((it) => it.return!(), () => ({ done: true, value: undefined })),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
