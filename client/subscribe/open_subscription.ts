import type { DispatchEvent } from "../../protocol/event.ts";
import { abortable } from "../../runtime/abortable.ts";
import type { EventTransport } from "../connection/transport.ts";
import { checkOptions, FROM_1, NAME, SIGNAL } from "../options.ts";
import { createGap, type Gap, joinGaps } from "../gap.ts";
import { BoundedQueue } from "./bounded_queue.ts";
import { PendingSubscription, type SubscribeOptions, Subscription } from "./subscription.ts";

/** Subscribes to a channel; the request is sent before this returns. */
export function openSubscription(
  transport: EventTransport,
  channel: string,
  options: SubscribeOptions = {},
): PendingSubscription {
  const what = `subscribe to '${channel}'`;
  // The server refuses an empty name like an unknown one.
  if (channel !== "") checkOptions(what, { name: channel }, NAME);
  checkOptions(what, options, {
    ...SIGNAL,
    buffer: FROM_1,
    overflow: "'drop-oldest', 'drop-newest' or 'error'",
  });
  const { signal, buffer = 10_000, overflow = "drop-oldest" } = options;
  const stopListening = () => signal?.removeEventListener("abort", onAbort);
  const leave = () => {
    stopListening();
    return attachment.detach().catch((error) => transport.reportAnomaly(error));
  };
  const onAbort = () => {
    queue.fail(signal!.reason);
    void leave();
  };
  const queue = new BoundedQueue<DispatchEvent | Gap>({
    capacity: buffer,
    overflow,
    createMarker: (missed, first) => {
      const until = transport.clock.now();
      // A server may leave out the time of an event.
      const { ts, since = ts || until } = first as DispatchEvent & Gap;
      return { ...createGap("overflow", since, until), missed };
    },
    // All markers are gaps.
    joinMarkers: joinGaps as (first: unknown, second: unknown) => Gap | undefined,
    onLeave: leave,
  });
  const attachment = transport.attach(channel, {
    onEvent: (event) => queue.push(event),
    onGap: (gap) => queue.pushMarker(gap),
    onEnd: (error, keep) => {
      stopListening();
      if (error) queue.fail(error);
      else queue.end(!keep);
    },
  });
  if (signal?.aborted) onAbort();
  else signal?.addEventListener("abort", onAbort);
  const ready = abortable(attachment.ready, signal).catch((error) => {
    stopListening();
    queue.fail(error);
    throw error;
  });
  return new PendingSubscription(new Subscription(channel, queue, leave), ready);
}
