import type { Hooks, RequestInfo } from "./hooks.ts";

/** Does a piece of work, and tells a hook of its beginning and its end. */
export async function hooked<T>(
  hooks: Hooks | undefined,
  { method, subject }: RequestInfo,
  work: () => Promise<T>,
): Promise<T> {
  const ended = hooks?.request?.({ method, subject });
  let result: T;
  try {
    result = await work();
  } catch (error) {
    ended?.(error);
    throw error;
  }
  ended?.();
  return result;
}
