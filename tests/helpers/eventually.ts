/**
 * Resolves once a condition holds. Polls, since what sockets do cannot be moved by a clock of ours.
 *
 * @param limit For how long to try, in milliseconds, before the test has failed.
 * @throws {Error} With the condition's text.
 */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  limit: number = 5_000,
): Promise<void> {
  const end = performance.now() + limit;
  while (!await condition()) {
    if (performance.now() > end) throw new Error(`it did not come to hold that ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Rejects when a promise has not settled in time, so that a hang is a failure with a name. */
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

/** Lets what sockets have received be handled. */
export async function breathe(turns = 5): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}
