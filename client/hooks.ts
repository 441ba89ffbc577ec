/** What a hook is told of a request. */
export interface RequestInfo {
  /** The method called. */
  method: string;
  /** The job's, workflow's or event's name, the id, or the channel it is about, where there is one. */
  subject?: string;
}

/** Functions the client calls around its requests; what they throw is not caught. */
export interface Hooks {
  /**
   * Called when a request begins.
   * @returns A function to be called when it ends, with its error if it failed.
   */
  request?(info: RequestInfo): ((error?: unknown) => void) | void;
}
