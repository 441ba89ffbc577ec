/** One request, as hooks see it. */
export interface RequestInfo {
  /** The method. */
  method: string;
  /** The name, id or channel that the request is about, if there is one. */
  subject?: string;
}

/** Functions that the client calls around its requests. It does not catch what they throw. */
export interface Hooks {
  /**
   * Called when a request begins.
   * @returns A function to call when the request ends, with its error if it failed.
   */
  request?(info: RequestInfo): ((error?: unknown) => void) | void;
}

/** Runs a request and calls the hook when it begins and when it ends. */
export async function withRequestHook<T>(
  hooks: Hooks | undefined,
  { method, subject }: RequestInfo,
  work: () => Promise<T>,
): Promise<T> {
  const onEnd = hooks?.request?.({ method, subject });
  return await work().then((result) => {
    onEnd?.();
    return result;
  }, (error) => {
    onEnd?.(error);
    throw error;
  });
}
