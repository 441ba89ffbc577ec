import { type Mutant, mutant } from "./mutants.ts";

/**
 * Further mutants that the simulation must find: limits of 0, tokens, aborts, hooks, what operators do, and
 * what is told of losses.
 */
export const SETTING_MUTANTS: readonly Mutant[] = [
  mutant("a timeout of 0 means the default", "client/session.ts", [
    "timeout: request.timeout ?? this.timeout",
    "timeout: request.timeout || this.timeout",
  ]),
  mutant("no limit of attempts means none", "client/session.ts", [
    "maxRetries === 0 || this.#attempts < maxRetries",
    "this.#attempts < maxRetries",
  ]),
  mutant("pings cannot be disabled", "client/connection/connector.ts", [
    "pings ? pingInterval : 0,",
    "pings ? pingInterval || 15_000 : 0,",
  ]),
  mutant("a token function that fails while reconnecting ends the client", "client/session.ts", [
    "error instanceof AuthError && !error.cause",
    "error instanceof AuthError",
  ]),
  mutant("a start does not wait for the connection", "client/start/lanes.ts", [
    "await session.ready(limits);",
    "",
  ]),
  mutant("a start has no default timeout", "client/start/lanes.ts", [
    "timeout = this.#session.timeout }",
    "timeout = 0 }",
  ]),
  mutant("hooks get no subject of a start", "client/start/lanes.ts", [
    "subject: start?.name }",
    "subject: undefined }",
  ]),
  mutant("hooks get no subject", "client/hooks.ts", [
    "hooks?.request?.({ method, subject })",
    "hooks?.request?.({ method })",
  ]),
  mutant("hooks are not told of success", "client/hooks.ts", [
    "    onEnd?.();\n    return result;",
    "    return result;",
  ]),
  mutant("a start that waits for its turn to open hangs", "client/start/lane_pool.ts", [
    "        this.#waiting.shift()?.();\n",
    "",
  ]),
  mutant("a lane that is taken again is dropped as idle", "client/start/lane_pool.ts", [
    "    for (const lane of this.#idle) {\n      lane.cancelTimer();",
    "    for (const lane of this.#idle) {",
  ]),
  mutant("the events of other runs are given to a start's run", "client/start/lanes.ts", [
    "lane.events!.filter(({ data }) => data.run_id === runId)",
    "lane.events!",
  ]),
  mutant("an input that is left out is null", "client/dispatch.ts", [
    "input === undefined ? {} : input",
    "input",
  ]),
  mutant("a payload that is left out is an object", "client/connection/requests.ts", [
    'if (value === undefined) return "null";',
    'if (value === undefined) return "{}";',
  ]),
  mutant("await using does not drain", "client/dispatch.ts", [
    "return this.close({ drain: true });",
    "return this.close();",
  ]),
  mutant("watch ignores its signal", "client/dispatch.ts", [
    "return this.run(runId).events(options);",
    "return this.run(runId).events();",
  ]),
  mutant("publishing ignores its options", "client/calls.ts", [
    "publishEvent(name, payload, options)",
    "publishEvent(name, payload)",
  ]),
  mutant("reading a timeline ignores its options", "client/calls.ts", [
    "getTimeline(runId, options)",
    "getTimeline(runId)",
  ]),
  mutant("a handle's get ignores its options", "client/job.ts", [
    "getJob(this.job_id, options)",
    "getJob(this.job_id)",
  ]),
  mutant("a job's handle lacks its queue", "client/calls.ts", [
    "createJob(job_id, queue, state)",
    'createJob(job_id, "", state)',
  ]),
  mutant("enqueueMany ignores its timeout", "client/enqueue_many.ts", [
    "enqueueRequests(name, rest)",
    "enqueueRequests(name, { ...rest, timeout: undefined })",
  ]),
  mutant("enqueueMany ignores its queue", "client/enqueue_many.ts", [
    "enqueueRequests(name, rest)",
    "enqueueRequests(name, { ...rest, queue: undefined })",
  ]),
  mutant("a later failure of enqueueMany is unhandled", "client/enqueue_many.ts", [
    "    request.catch(() => {});\n",
    "",
  ]),
  mutant("an abort of enqueueMany is an EnqueueManyError", "client/enqueue_many.ts", [
    "      if (!(cause instanceof DispatchError)) throw cause;\n",
    "",
  ], [
    "new EnqueueManyError(name, jobs.length, cause)",
    "new EnqueueManyError(name, jobs.length, cause as DispatchError)",
  ]),
  mutant("the timeout of the client is ignored", "client/session.ts", [
    "this.timeout = options.timeout ?? 30_000;",
    "this.timeout = 30_000;",
  ]),
  mutant("close resolves before the connection has ended", "client/session.ts", [
    "closing.resolve(link?.close(error, false));",
    "closing.resolve(); void link?.close(error, false);",
  ]),
  mutant("nobody is told that the client was closed", "client/session.ts", [
    '    this.status.emit({ type: "closed" });\n',
    "",
  ]),
  mutant("loops over the status do not end", "client/status_feed.ts", [
    'if (status.type === "closed") reader.end();',
    "",
  ]),
  mutant("status does not begin with the state", "client/status_feed.ts", [
    "    deliver(reader, this.#state);\n",
    "",
  ]),
  mutant("a buffer takes one event more than it may", "client/subscribe/bounded_queue.ts", [
    "if (this.#size < capacity)",
    "if (this.#size <= capacity)",
  ]),
  mutant("a remark is the state that a late reader is told", "client/status_feed.ts", [
    "if (STATES.test(status.type)) this.#state = status;",
    "this.#state = status;",
  ]),
  mutant("a late reader is told nothing more", "client/status_feed.ts", [
    'if (this.#state.type !== "closed") this.#readers.add(reader);',
    'if (this.#state.type === "idle") this.#readers.add(reader);',
  ]),
  mutant("only the last reader is told of the status", "client/status_feed.ts", [
    "for (const reader of this.#readers) deliver",
    "for (const reader of [...this.#readers].slice(-1)) deliver",
  ]),
  mutant("calls go to the connection that was lost", "client/session.ts", [
    "    this.#link = undefined;\n    this.#queue.disconnectCause = cause;",
    "    this.#queue.disconnectCause = cause;",
  ]),
  mutant("calls that expire name the first cause only", "client/session.ts", [
    "cause = this.#queue.disconnectCause = error as Error;",
    "cause = error as Error;",
  ]),
  mutant("attempts are told from 0", "client/session.ts", [
    'this.status.emit({ type: "reconnecting", attempt, delay',
    'this.status.emit({ type: "reconnecting", attempt: attempt - 1, delay',
  ]),
  mutant("each connection is told as the first", "client/session.ts", [
    "sessionId, format, attempt });",
    "sessionId, format, attempt: 0 });",
  ]),
  mutant("giving up does not say why", "client/session.ts", [
    '"gave_up", { cause })',
    '"gave_up")',
  ]),
  mutant("status does not tell of gaps", "client/subscribe/event_router.ts", [
    "this.#host.status.emit(this.reportGap(reason, since, until));",
    "void this.reportGap(reason, since, until);",
  ]),
  mutant("close waits for ever for a silent server", "client/connection/link.ts", [
    "clock.setTimeout(drop, CLOSE_TIMEOUT)",
    "clock.setTimeout(() => {}, CLOSE_TIMEOUT)",
  ]),
  mutant("a new token that is refused is renewed", "client/connection/connector.ts", [
    "if (!accepted || typeof",
    "if (typeof",
  ]),
  mutant("sleep is noticed only when a ping is due", "client/connection/heartbeat.ts", [
    "Math.min(pingInterval - silence, SLEEP_CHECK)",
    "(pingInterval - silence) + SLEEP_CHECK * 0",
  ]),
  mutant("a full queue is told as a lost connection", "client/connection/offline_queue.ts", [
    '"queue_full"',
    '"connection_lost"',
  ]),
  mutant("the gap of an overflow begins with the last event", "client/subscribe/bounded_queue.ts", [
    "if (!this.#missed++) this.#firstMissed",
    "this.#missed++;\n    this.#firstMissed",
  ]),
  mutant("unsubscribe does not end the loop", "client/subscribe/subscription.ts", [
    "    this.#items.end(true);\n",
    "",
  ]),
  mutant("`await using` leaves no confirmed subscription", "client/subscribe/subscription.ts", [
    "  async [Symbol.asyncDispose](): Promise<void> {\n    await this.unsubscribe();",
    "  async [Symbol.asyncDispose](): Promise<void> {",
  ]),
  mutant("`await using` leaves no pending subscription", "client/subscribe/subscription.ts", [
    "  [Symbol.asyncDispose](): Promise<void> {\n    return this.unsubscribe();",
    "  [Symbol.asyncDispose](): Promise<void> {\n    return Promise.resolve();",
  ]),
  mutant("a start by the name of its method goes where other calls go", "client/calls.ts", [
    'if (method === "workflow.start")',
    'if (method === "")',
  ]),
  mutant("a token that expired over HTTP ends the call", "client/http/http_session.ts", [
    "          if (!isTokenNew) continue;\n",
    "",
  ]),
  mutant("a token over HTTP is not kept", "client/http/http_session.ts", [
    "return this.#token ??= await getToken",
    "return this.#token ?? await getToken",
  ]),
  mutant("records are read ever more rarely", "client/follow/poll_timer.ts", [
    "return Math.min(pause * 1.5, LONGEST_PAUSE);",
    "return pause * 1.5;",
  ]),
  mutant("calls that wait for their turn outlive the client", "client/session.ts", [
    "for (const queue of [this.throttle, this.#queue])",
    "for (const queue of [this.#queue])",
  ]),
  mutant("an error that names no request is for the only call", "client/connection/link.ts", [
    "const isOnly = error && this.#nextId - this.#answeredId === 2;\n",
    "const isOnly = error && this.#calls.size === 1;\n",
  ], [
    'String(this.#answeredId + 1) : "");',
    '[...this.#calls.keys()][0]! : "");',
  ]),
  mutant("a firehose does not limit the rate of enqueues", "client/subscribe/event_router.ts", [
    ' || this.#serverChannels.has("firehose"))',
    ")",
  ]),
  mutant("events that arrive do not let enqueues go on", "client/subscribe/enqueue_throttle.ts", [
    "    if (this.#unseen > 0) this.#unseen--;\n",
    "",
  ]),
  mutant("subscribing is not tried again", "client/subscribe/event_router.ts", [
    '      retry: "unknown",\n      signal: abort',
    '      retry: "not-sent",\n      signal: abort',
  ]),
  mutant(
    "a channel that was left before its answer is asked for again",
    "client/subscribe/event_router.ts",
    ["    shared.abort.abort();\n", ""],
  ),
  mutant("a subscription that times out ends a wait", "client/follow/tracker.ts", [
    'if (code !== "timeout") throw error;',
    "throw error;",
  ]),
  mutant("the names of workflows are not sorted", "client/http/admin_answers.ts", [
    "names.map(String).sort()",
    "names.map(String)",
  ]),
  mutant("an operator's retry cancels", "client/http/dispatch_admin.ts", [
    "POST /jobs/:id/retry",
    "POST /jobs/:id/cancel",
  ]),
  mutant("an operator's replay of all replays nothing", "client/http/admin_dead_letters.ts", [
    "POST /dlq/replay-all",
    "POST /dlq/purge",
  ], [
    'countIn(what, answer, "replayed", "errors")',
    "({ replayed: 0, errors: 0, ...answer as object })",
  ]),
  mutant("dead letters are counted by the jobs that failed", "client/http/admin_dead_letters.ts", [
    'countIn(what, answer, "count").count',
    'countIn(what, answer, "count").count + 1',
  ]),
  mutant("an operator's retry ignores its options", "client/http/dispatch_admin.ts", [
    'POST /jobs/:id/retry", id, decode: () => {} } as const;\n    return await this.#session.call(call, options);',
    'POST /jobs/:id/retry", id, decode: () => {} } as const;\n    return await this.#session.call(call);',
  ]),
  mutant("a failure that nobody saw is not made up", "client/follow/synthesize_events.ts", [
    `    add("job.failed", updated_at, { error });\n`,
    "",
  ]),
];
