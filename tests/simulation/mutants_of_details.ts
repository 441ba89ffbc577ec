import { type Mutant, mutant } from "./mutants.ts";
import { FORMAT_MUTANTS } from "./mutants_of_formats.ts";
import { LIMIT_MUTANTS } from "./mutants_of_limits.ts";
import { LOSS_MUTANTS } from "./mutants_of_losses.ts";
import { SETTING_MUTANTS } from "./mutants_of_settings.ts";
import { PROMISE_MUTANTS } from "./mutants_of_promises.ts";

/** Further mutants that the simulation must find: details of what is documented. */
export const DETAIL_MUTANTS: readonly Mutant[] = [
  // Credits and gaps.
  mutant("a grant is one credit short", "client/subscribe/credits.ts", [
    `this.#link.sendControl("request", { credits });`,
    `this.#link.sendControl("request", { credits: credits - 1 });`,
  ]),
  mutant("credits that are exactly used up are no gap", "client/subscribe/credits.ts", [
    "if (this.#confirmed <= 0)",
    "if (this.#confirmed < 0)",
  ]),
  mutant("the gap after a reconnect is told twice", "client/subscribe/event_router.ts", [
    `    this.reportGap("reconnect", since);\n`,
    `    this.reportGap("reconnect", since);\n`.repeat(2),
  ]),
  mutant("the gap after a reconnect begins when the loss was noticed", "client/session.ts", [
    "const since = this.#link.lastMessageAt;",
    "const since = this.clock.now();",
  ]),
  mutant("a channel ends when resubscribing takes too long", "client/subscribe/event_router.ts", [
    `|| typeof error.code !== "number") throw error;`,
    ") throw error;",
  ]),

  // Calls and what they resolve with.
  mutant(
    "a start in flight as the client closes is told as not-sent",
    "client/connection/with_deadline.ts",
    ["limit.abort(inContext(what, error, limits.delivery))", "limit.abort(inContext(what, error))"],
  ),
  mutant(
    "deadlines of work do not count while reconnecting",
    "client/connection/with_deadline.ts",
    [
      "() => limit.abort(deadlineExceeded(limits)),",
      "() => void ((host as { isReconnecting?: boolean }).isReconnecting || limit.abort(deadlineExceeded(limits))),",
    ],
  ),
  mutant("a queued call does not expire", "client/connection/call.ts", [
    "const { awaited, disconnectCause } = this.owner!;",
    `const { awaited, disconnectCause } = this.owner!;
    if (awaited === "connection") return;`,
  ]),
  mutant("a queue has room for one more", "client/connection/offline_queue.ts", [
    "this.size < this.#limit",
    "this.size <= this.#limit",
  ]),
  mutant("the index of the payload that failed is one too high", "client/enqueue_many.ts", [
    "new EnqueueManyError(name, jobs.length, cause)",
    "new EnqueueManyError(name, jobs.length + 1, cause)",
  ]),
  mutant("progress begins at 0", "client/enqueue_many.ts", [
    "onProgress?.(++enqueued)",
    "onProgress?.(enqueued++)",
  ]),
  mutant("one request too many is in flight", "client/enqueue_many.ts", [
    "requests.length >= window",
    "requests.length > window",
  ]),
  mutant("the priority is not sent", "client/connection/requests.ts", [
    "JSON.stringify({ name, queue, priority })",
    "JSON.stringify({ name, queue })",
  ]),
  mutant("a duplicate answer settles the next call", "client/connection/link.ts", [
    "const call = this.#calls.get(id);",
    "const call = this.#calls.get(id) ?? (this.#calls.size === 1 ? [...this.#calls.values()][0] : undefined);",
  ]),
  mutant("a cancel that was refused is told as done", "client/connection/requests.ts", [
    `await send(transport, cancelJob(jobId, options));
  for`,
    `await send(transport, cancelJob(jobId, options)).catch((e) => { if (typeof e.code !== "number") throw e; });
  for`,
  ]),
  mutant("waits are not told of a cancel", "client/connection/requests.ts", [
    "for (const listener of transport.onCancel) listener(jobId);",
    "",
  ]),
  mutant("a handle keeps its first state", "client/follow/entity_handle.ts", [
    "follower.onState.add(setState);",
    "",
  ]),

  // Connections.
  mutant(
    "an opened link keeps listening for the abort of the session",
    "client/connection/link.ts",
    [`signal.removeEventListener("abort", onAbort);`, ""],
  ),
  mutant("a socket that failed to open is left open", "client/connection/link.ts", [
    `this.#state = "closed";
        terminate(socket);`,
    `this.#state = "closed";`,
  ]),
  mutant("a ping that is late is a lost connection", "client/connection/heartbeat.ts", [
    "if (this.#heardAt !== heardAt) this.start();",
    "if (this.#heardAt > heardAt + pingTimeout) this.start();",
  ]),
  mutant("the heartbeat does not notice sleep", "client/connection/heartbeat.ts", [
    "Math.max(now - this.#heardAt, clock.now() - this.lastMessageAt)",
    "now - this.#heardAt",
  ]),
  mutant("calls go before the subscriptions after a reconnect", "client/session.ts", [
    `await this.#router.resubscribe(link, connectTimeout, this.#abort.signal);
        this.#onConnected(link, attempt);`,
    `this.#router.listenTo(link);
        this.#onConnected(link, attempt);
        await this.#router.resubscribe(link, connectTimeout, this.#abort.signal);`,
  ]),
  mutant("connect does not wait for an attempt under way", "client/session.ts", [
    "const link = this.#link || this.isReconnecting",
    "const link = this.#link",
  ]),
  mutant("a client that gave up does not connect again", "client/session.ts", [
    `    this.#closedWith = undefined;
    const link`,
    "    const link",
  ]),
  mutant("a client that closes does not leave its channels", "client/session.ts", [
    "if (link) this.#router.leave(link);",
    "",
  ]),

  // Lanes and readers.
  mutant("nobody is told of a lost lane", "client/start/lanes.ts", [
    `this.#session.status.emit({ type: "lane_lost", runId, cause });`,
    "void cause;",
  ]),
  mutant("a lane that is dropped stays subscribed", "client/start/lane_pool.ts", [
    `    this.#unsubscribe(lane);
    void lane.link.close(cause, true);`,
    "    void lane.link.close(cause, true);",
  ]),
  mutant("a subscription keeps its abort listener", "client/subscribe/open_subscription.ts", [
    `const stopListening = () => signal?.removeEventListener("abort", onAbort);`,
    "const stopListening = () => {};",
  ]),
  mutant("a reader that leaves the loop stays subscribed", "client/subscribe/bounded_queue.ts", [
    "if (!this.#ended) this.#options.onLeave?.();",
    "",
  ]),
  mutant("an overflow error leaves the channel subscribed", "client/subscribe/bounded_queue.ts", [
    `      onLeave?.();
      return this.fail(`,
    "      return this.fail(",
  ]),

  // HTTP.
  mutant("a call over HTTP that times out is told as not-sent", "client/http/http_session.ts", [
    `awaited: "answer", delivery: "unknown" } as const`,
    `awaited: "answer" } as const`,
  ]),
  mutant("an answer over HTTP that is no frame is told as refused", "client/http/http_session.ts", [
    `throw new DispatchError(refusal, ok ? "bad_answer" : status, { delivery: "unknown" });`,
    `throw new DispatchError(refusal, ok ? "bad_answer" : status, { delivery: "not-sent" });`,
  ]),
  mutant("no gap is told when a stream is opened again", "client/http/event_source.ts", [
    `receiver.onGap(createGap("reconnect", this.#lastEventAt, clock.now()));`,
    "",
  ]),
  mutant("the last message of a chunk is lost", "client/http/event_source.ts", [
    "rest = parts.pop()!;",
    `rest = parts.pop()!;
    if (parts.length > 1) parts.pop();`,
  ]),
  mutant("a stream's back-off is not reset", "client/http/event_source.ts", [
    ">= HOLD_TIME ? 1 : attempt + 1",
    ">= HOLD_TIME ? attempt + 1 : attempt + 1",
  ]),
  ...PROMISE_MUTANTS,
  ...LIMIT_MUTANTS,
  ...FORMAT_MUTANTS,
  ...SETTING_MUTANTS,
  ...LOSS_MUTANTS,
];
