import { wireChannel } from "../../protocol/channel.ts";
import { explainAnswer } from "../../runtime/explain.ts";
import { channelRequest } from "../connection/requests.ts";
import type { Attachment, EventTransport, Receiver } from "../connection/transport.ts";
import { DispatchError } from "../errors.ts";
import type { HttpOptions } from "../options.ts";
import { ChannelEventSource } from "./event_source.ts";
import { endpoint } from "./http_requests.ts";
import { HttpSession } from "./http_session.ts";

/** Sends requests over HTTP and reads each channel as a stream of server-sent events. */
export class SseSession extends HttpSession implements EventTransport {
  readonly #options: HttpOptions;

  constructor(options: HttpOptions) {
    super(options);
    this.#options = options;
  }

  attach(channel: string, receiver: Receiver): Attachment {
    const { onClose, clock } = this;
    const { random = Math.random } = this.#options;
    const stop = new AbortController();
    const { signal } = stop;
    const ready = Promise.withResolvers<void>();
    const end = () => {
      receiver.onEnd();
      stop.abort();
    };
    onClose.add(end);
    const source = new ChannelEventSource({
      channel,
      receiver,
      signal,
      clock,
      random,
      open: (signal) => this.#openStream(channel, signal),
      onReady: ready.resolve,
    });
    const ended = source.run().catch((error) => {
      if (signal.aborted) return;
      ready.reject(error);
      receiver.onEnd(error);
    }).finally(() => {
      onClose.delete(end);
      ready.resolve();
    });
    return {
      ready: ready.promise,
      detach: () => {
        stop.abort();
        ready.resolve();
        return ended;
      },
    };
  }

  /**
   * Opens a stream of events. The server answers 200 even to a bad token or channel, so a request to
   * subscribe, which the server does check, goes first.
   */
  async #openStream(channel: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const request = channelRequest("subscribe", channel);
    const { what } = request;
    await this.request({ ...request, retry: "unknown", signal });
    const url = endpoint(this.#options.url, "/sse");
    url.searchParams.set("channel", wireChannel(channel));
    url.searchParams.set("token", await this.token(signal));
    const headers = { Accept: "text/event-stream" };
    const response = await this.withDeadline(
      { ...request, signal },
      (signal) => this.fetch(what, url, { headers, signal }, (response) => response),
    );
    if (response.ok && response.body) return response.body;
    await response.body?.cancel();
    const { status } = response;
    const text = `Cannot ${what}: the server answered ${status}${
      explainAnswer(response, url) ?? ""
    }`;
    throw new DispatchError(text, status);
  }
}
