/** A place in a stream of events where events are missing, or may be. */
export interface Gap {
  /** Distinguishes a gap from an event. */
  type: "gap";
  /**
   * Why: the connection was lost (`reconnect`), the server ran out of credits (`credits`) or dropped
   * events because the client or the connection was too slow (`lost`), the reader's buffer was full
   * (`overflow`), or the events were published before the client listened and the server's records do
   * not contain them (`unseen`).
   */
  reason: "reconnect" | "credits" | "lost" | "overflow" | "unseen";
  /**
   * The time from which events may be missing, RFC 3339. For `overflow` it is that of the first event
   * that was dropped, by the server's clock.
   */
  since: string;
  /** The time until which events may be missing, RFC 3339. */
  until: string;
  /** The exact number of missing events. Only `overflow` knows it. */
  missed?: number;
}

/** Creates a gap between two times, given as milliseconds since 1970 or RFC 3339. */
export function createGap(
  reason: Gap["reason"],
  since: number | string,
  until: number | string,
): Gap {
  return {
    type: "gap",
    reason,
    since: new Date(since).toISOString(),
    until: new Date(until).toISOString(),
  };
}

/** Merges two adjacent gaps, if they have the same reason. */
export function joinGaps(first: Gap, second: Gap): Gap | undefined {
  if (first.reason !== second.reason) return undefined;
  const missed = first.missed && { missed: first.missed + second.missed! };
  return { ...first, until: second.until, ...missed };
}
