import { afterTask } from "../../runtime/real_timers.ts";
import type { Context } from "hono";
import type { Tenant } from "../engine/store_rows.ts";
import { type Authenticate, hasScope, type TokenOptions } from "../tokens.ts";
import type { Subscriber } from "./broker.ts";
import type { ServerParts } from "./method.ts";
import { channelProblem } from "./methods.ts";

const RETRY = "retry: 3000\n\n";

/** Handles an SSE request: the events of one channel as a stream. */
export function handleSse(c: Context, server: ServerParts, authenticate: Authenticate): Response {
  const identity = authenticate(c.req.query("token") ?? "");
  const channel = c.req.query("channel") ?? "";
  const status = errorStatus(identity, channel);
  if (!server.state.quirks["sse-always-200"]) {
    if (status !== undefined) return new Response(null, { status });
    if (channelProblem(channel) !== undefined) return new Response(null, { status: 400 });
  }
  const { app = "", org = "" } = identity ?? {};
  const stream = status === undefined
    ? eventStream(server, { app, org }, channel)
    : new Blob([RETRY]).stream();
  return new Response(stream, {
    headers: {
      "Cache-Control": "no-cache",
      "Connection": "keep-alive",
      "Content-Type": "text/event-stream",
      "X-Accel-Buffering": "no",
    },
  });
}

function errorStatus(identity: TokenOptions | undefined, channel: string): number | undefined {
  if (!identity) return 401;
  if (channel === "") return 400;
  return hasScope(identity, "subscribe") ? undefined : 403;
}

/** Streams a channel's events until the client disconnects or the server closes. */
function eventStream(
  server: ServerParts,
  tenant: Tenant,
  channel: string,
): ReadableStream<Uint8Array> {
  const { broker } = server;
  const encoder = new TextEncoder();
  let subscriber: Subscriber;
  let end = () => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(encoder.encode(RETRY));
      subscriber = broker.add(tenant);
      broker.subscribe(subscriber, channel);
      const flush = () => {
        for (const { type, json } of subscriber.buffer.splice(0)) {
          controller.enqueue(encoder.encode(`event: ${type}\ndata: ${json}\n\n`));
        }
      };
      subscriber.onEvents = () => afterTask(flush);
      subscriber.onHalfFull = flush;
      const onServerClose = () => {
        end();
        controller.close();
      };
      end = () => {
        end = () => {};
        subscriber.onEvents = () => {};
        broker.remove(subscriber);
        subscriber.buffer.length = 0;
        server.signal.removeEventListener("abort", onServerClose);
      };
      server.signal.addEventListener("abort", onServerClose, { once: true });
    },
    cancel: () => end(),
  });
}
