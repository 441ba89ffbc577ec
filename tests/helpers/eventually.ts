/**
 * Resolves as soon as a condition holds. Polls in real time, because sockets do not follow a fake clock.
 *
 * @param limit How many milliseconds to try.
 * @throws {Error} With the source of the condition, if it does not hold in time.
 */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  limit: number = 5_000,
): Promise<void> {
  const end = performance.now() + limit;
  while (!await condition()) {
    if (performance.now() > end) throw new Error(`the condition did not become true: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Rejects if a promise does not settle in time, so that a test that hangs fails with a name. */
export async function within<T>(promise: PromiseLike<T>, what: string, limit = 5_000): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not settle in ${limit} ms`)), limit);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Lets the event loop handle what sockets have received. */
export async function breathe(turns = 5): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}
