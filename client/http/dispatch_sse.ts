import type { ChannelName } from "../../protocol/channel.ts";
import type { RunEvent } from "../../protocol/event.ts";
import type { Definitions } from "../definitions.ts";
import { trackJob, trackRun } from "../follow/trackers.ts";
import type { Gap } from "../gap.ts";
import type { HttpOptions } from "../options.ts";
import { openSubscription } from "../subscribe/open_subscription.ts";
import type { PendingSubscription, SubscribeOptions } from "../subscribe/subscription.ts";
import { DispatchRpc, httpBackend } from "./dispatch_rpc.ts";
import { SseSession } from "./sse_session.ts";

/**
 * A {@linkcode DispatchRpc} with subscriptions over server-sent events. Each subscription is an HTTP
 * request, which the client replaces before the server stops it after 1,000 events. The token is part
 * of that request's address, where proxies may log it.
 *
 * @example
 * ```ts
 * import { DispatchSse } from "@dispatch/sdk";
 *
 * async function firstFailure(url: string, token: string) {
 *   using client = await DispatchSse.connect({ url, token });
 *   for await (const event of client.subscribe("jobs")) {
 *     if (event.type === "job.failed") return event.data.error;
 *   }
 * }
 * ```
 *
 * @typeParam D The jobs, workflows and events of the server; by default any name is allowed.
 */
export class DispatchSse<D extends Definitions = Definitions> extends DispatchRpc<D> {
  readonly #session: SseSession;

  /** Creates a client. */
  constructor(options: HttpOptions) {
    const session = new SseSession(options);
    const createJobFollower = (jobId: string) => trackJob(session, jobId);
    const createRunFollower = (runId: string) => trackRun(session, runId);
    super(options, httpBackend(session, createJobFollower, createRunFollower));
    this.#session = session;
  }

  /**
   * Creates a client. There is no connection to wait for: every call and every subscription is a
   * separate request.
   *
   * @example
   * ```ts
   * import { DispatchSse } from "@dispatch/sdk";
   *
   * async function countTopics(url: string) {
   *   using client = await DispatchSse.connect({ url, token: "demo-token" });
   *   return (await client.stats()).broker.topic_count;
   * }
   * ```
   */
  // deno-lint-ignore require-await
  static override async connect<D extends Definitions = Definitions>(
    options: HttpOptions,
  ): Promise<DispatchSse<D>> {
    return new DispatchSse<D>(options);
  }

  /** Subscribes to a channel. */
  subscribe(channel: ChannelName, options?: SubscribeOptions): PendingSubscription;
  /** Subscribes to a channel whose name is not known at compile time. */
  subscribe(channel: string, options?: SubscribeOptions): PendingSubscription;
  subscribe(channel: string, options?: SubscribeOptions): PendingSubscription {
    return openSubscription(this.#session, channel, options);
  }

  /** Reads a run's events from the first to the last, even if the run has already ended. */
  watch(
    runId: string,
    options?: { signal?: AbortSignal },
  ): AsyncIterableIterator<RunEvent | Gap, undefined> {
    return trackRun(this.#session, runId).events(options);
  }
}
