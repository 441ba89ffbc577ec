/** A place in a stream of events where some are missing, or may be. */
export interface Gap {
  /** Tells a gap from an event. */
  type: "gap";
  /**
   * Why: the connection was lost, the server was out of credits, this stream's buffer was full, or
   * nobody listened then and the server's records do not tell.
   */
  reason: "reconnect" | "credits" | "overflow" | "unseen";
  /** From when events may be missing, RFC 3339. */
  since: string;
  /** Until when, RFC 3339. */
  until: string;
  /** How many are missing, where that is known: exactly, for `overflow`; never for the others. */
  missed?: number;
}

/** Makes a gap out of two times in milliseconds since 1970. */
export function gap(reason: Gap["reason"], since: number, until: number, missed?: number): Gap {
  return {
    type: "gap",
    reason,
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
    ...(missed === undefined ? {} : { missed }),
  };
}
