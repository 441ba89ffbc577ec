import type { DispatchEvent } from "../../protocol/event.ts";
import { abortable } from "../_core.ts";
import { Channels } from "./event_router.ts";
import { gap } from "../gap.ts";
import { Stream } from "./bounded_queue.ts";
import type { Transport } from "../connection/transport.ts";
import type { Gap } from "../gap.ts";
import type { Subscribed, SubscribeOptions } from "./pending_subscription.ts";
import type { Status } from "../status.ts";
import { Subscription } from "./subscription.ts";

/** Subscribes to a channel. */
export function readChannel(
  session: Transport,
  channel: string,
  { signal, buffer = 10_000, overflow = "drop-oldest" }: SubscribeOptions,
): Subscribed {
  let firstMissed = 0;
  const forget = () => signal?.removeEventListener("abort", onAbort);
  const leave = () => {
    forget();
    return attachment.detach().catch((error) => session.anomaly(error));
  };
  const onAbort = () => {
    stream.fail(signal!.reason);
    void leave();
  };
  const stream = new Stream<DispatchEvent | Gap>({
    capacity: buffer,
    overflow,
    onDrop: () => firstMissed ||= session.clock.now(),
    mark: (missed) => {
      const since = firstMissed;
      firstMissed = 0;
      return gap("overflow", since, session.clock.now(), missed);
    },
    join: (first, second) =>
      first.type === "gap" && second.type === "gap" ? joinGaps(first, second) : undefined,
    onLeave: leave,
  });
  const attachment = session.attach(channel, {
    onEvent: (event) => stream.push(event),
    onGap: (item) => stream.mark(item),
    onEnd: (error, keep) => {
      forget();
      if (error) stream.fail(error);
      else stream.end(!keep);
    },
  }, Channels);
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort, { once: true });
  const ready = abortable(attachment.ready, signal).catch((error) => {
    forget();
    stream.fail(error);
    throw error;
  });
  // Whoever reads instead of waiting is told by the stream.
  ready.catch(() => {});
  return { subscription: new Subscription(channel, stream, leave), ready };
}

/** Reads the status of a connection: each in its turn, the last one ends it. */
export class StatusReader extends Stream<Status> {
  /** @param onLeave Called when nobody reads it any more. */
  constructor(onLeave: () => void) {
    super({
      capacity: 1_000,
      overflow: "drop-oldest",
      mark: (missed) => ({
        type: "anomaly",
        count: missed,
        cause: new Error(`${missed} older statuses were not read in time`),
      }),
      onLeave,
    });
  }

  override push(status: Status): void {
    super.push(status);
    if (status.type === "closed") this.end();
  }
}

/** Makes one gap of two with nothing between them, if they have the same reason. */
function joinGaps(first: Gap, second: Gap): Gap | undefined {
  if (first.reason !== second.reason) return undefined;
  const missed = (first.missed ?? NaN) + (second.missed ?? NaN);
  return { ...first, until: second.until, ...(missed > 0 ? { missed } : {}) };
}
