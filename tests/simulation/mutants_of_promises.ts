import { type Mutant, mutant } from "./mutants.ts";

/** Further mutants that the simulation must find: errors, patience, loops, and what is kept for later. */
export const PROMISE_MUTANTS: readonly Mutant[] = [
  // Errors, and who is told of them.
  mutant("every refusal has the code 500", "client/connection/link.ts", [
    "refusal(frame)}`, error.code));",
    "refusal(frame)}`, 500));",
  ]),
  mutant("a refused token is not an AuthError", "client/connection/link.ts", [
    "code === 401 || code === 403 ?",
    "code === 403 ?",
  ]),
  mutant("malformed frames are not reported", "client/connection/link.ts", [
    "else owner.onAnomaly(error as Error);",
    "else void owner;",
  ]),
  mutant("the count of anomalies stays", "client/session.ts", [
    "count: ++this.#anomalies",
    "count: this.#anomalies + 1",
  ]),
  mutant(
    "an answer to a request that was given up is an anomaly",
    "client/connection/link.ts",
    [
      "if (!call && !(correl_id && +id > this.#answeredId && +id < this.#nextId)) {",
      "if (!call) {",
    ],
  ),
  mutant(
    "a call that expires in the queue does not say why there is no connection",
    "client/connection/call.ts",
    ["        cause: disconnectCause,\n", ""],
  ),
  mutant("hooks are not told of errors", "client/hooks.ts", [
    "    onEnd?.(error);\n",
    "    onEnd?.();\n",
  ]),
  mutant("a job that was cancelled is told as failed", "client/errors.ts", [
    "`job_${job.state}`);",
    "`job_failed`);",
  ]),

  // Signals and options of calls.
  mutant("a call whose signal has aborted is sent", "client/session.ts", [
    "      if (signal?.aborted) return reject(signal.reason);\n",
    "",
  ]),
  mutant(
    "a subscription whose signal has aborted stays",
    "client/subscribe/open_subscription.ts",
    [
      `  if (signal?.aborted) onAbort();\n  else signal?.addEventListener("abort", onAbort);`,
      `  signal?.addEventListener("abort", onAbort);`,
    ],
  ),
  mutant("enqueueMany ignores the signal", "client/enqueue_many.ts", [
    "const createRequest = enqueueRequests(name, rest);",
    "const createRequest = enqueueRequests(name, { ...rest, signal: undefined });",
  ]),
  mutant("enqueueMany does not stop at the first failure", "client/enqueue_many.ts", [
    "      throw new EnqueueManyError(name, jobs.length, cause);",
    "      if (requests.length === 0) throw new EnqueueManyError(name, jobs.length, cause);",
  ]),
  mutant("the retry that a caller asks for is overridden", "client/connection/requests.ts", [
    `return { what, method, decode, retry: isRead(method) ? "unknown" : "not-sent", ...options };`,
    `return { what, method, decode, ...options, retry: isRead(method) ? "unknown" : "not-sent" };`,
  ]),

  // Connections, pings and timers.
  mutant("lanes send pings", "client/connection/connector.ts", [
    "pingInterval: pings ? pingInterval : 0,",
    "pingInterval,",
  ]),
  mutant(
    "the peer has as long as the ping interval to answer a ping",
    "client/connection/heartbeat.ts",
    ["deadlines.add(now + pingTimeout,", "deadlines.add(now + pingInterval,"],
  ),
  mutant("pings go on after the link is closed", "client/connection/link.ts", [
    "    this.#heartbeat.stop();\n",
    "",
  ]),
  mutant("connecting may take ten times as long", "client/connection/connector.ts", [
    "connectTimeout: timeout = 10_000 }",
    "connectTimeout: timeout = 100_000 }",
  ]),
  mutant("a client that cannot connect is not idle again", "client/session.ts", [
    `if (!this.#closing) this.status.emit({ type: "idle" });`,
    `if (this.#closing) this.status.emit({ type: "idle" });`,
  ]),
  mutant("the timer of deadlines stays when there are none", "client/connection/deadlines.ts", [
    "if (this.#entries.delete(entry) && this.#entries.size === 0) this.#disarm();",
    "this.#entries.delete(entry);",
  ]),
  mutant("the timer of a closing handshake stays", "client/connection/link.ts", [
    "        clock.clearTimeout(timer);\n",
    "",
  ]),
  mutant("a pause that was given up leaves its timer", "client/connection/with_deadline.ts", [
    "return abortable(elapsed, signal).finally(() => cancel());",
    "return abortable(elapsed, signal);",
  ]),
  mutant("a frame has the time of the first one", "client/connection/link.ts", [
    "      this.#timeText = new Date(now).toISOString();",
    "      this.#timeText ??= new Date(now).toISOString();",
  ]),

  // Loops.
  mutant("loops over subscriptions reject when the client is closed", "client/session.ts", [
    "this.#router.end(this.#closing ? undefined : error, keepUnread);",
    "this.#router.end(error, keepUnread);",
  ]),
  mutant("loops over events reject when the client is closed", "client/follow/tracker.ts", [
    `if (error && (wasClosed || error.code !== "closed")) throw error;`,
    "if (error) throw error;",
  ]),
  mutant("a loop over events begins on a closed client", "client/follow/tracker.ts", [
    `if (error && (wasClosed || error.code !== "closed")) throw error;`,
    `if (error && error.code !== "closed") throw error;`,
  ]),

  mutant(
    "the second gap of an overflow begins with the first",
    "client/subscribe/bounded_queue.ts",
    [
      "if (!this.#missed++) this.#firstMissed",
      "this.#missed++;\n    this.#firstMissed ??= first;\n    if (!first) this.#firstMissed",
    ],
  ),

  // How often is asked.
  mutant("records are read without a pause after the first wake", "client/follow/poll_timer.ts", [
    "    this.#wakeUp = new AbortController();\n    this.#pause",
    "    this.#pause",
  ]),
  mutant("the pauses between reads do not grow", "client/follow/poll_timer.ts", [
    "    this.#pause = lengthen(this.#pause);\n",
    "",
  ]),
  mutant("a wait over HTTP keeps listening for cancels", "client/follow/poller.ts", [
    "      onCancel.delete(onCancelled);\n",
    "      void onCancelled;\n",
  ]),

  // Starts.
  mutant("idle lanes are kept ten times as long", "client/start/lane_pool.ts", [
    "this.#after(LANE_IDLE_TIME,",
    "this.#after(LANE_IDLE_TIME * 10,",
  ]),
  mutant("any number of idle lanes is kept", "client/start/lane_pool.ts", [
    "    if (!isNeeded && this.#idle.size >= IDLE_LANES) return void this.#retire(lane);\n",
    "",
  ]),
  mutant("a run that was answered still counts as running", "client/start/lanes.ts", [
    "      this.#running.delete(start.runId!);\n",
    "",
  ]),
  mutant("events that came before their run was known are lost", "client/start/lanes.ts", [
    "    for (const event of events) tracker.add(event);\n",
    "",
  ]),
  mutant("a mark has only three characters", "client/start/mark.ts", [
    "const MARK_LENGTH = 48;",
    "const MARK_LENGTH = 3;",
  ]),
  mutant("parts of escapes in a text are marked", "client/start/mark.ts", [
    String.raw`const PLAIN = /(?<!\\|\\u.{0,3})[`,
    "const PLAIN = /[",
  ]),

  // What is left, lost or given up.
  mutant("close does not stop reconnecting", "client/session.ts", [
    "    this.#abort.abort(error);\n",
    "",
  ]),
  mutant("a channel that could not be left is not told", "client/subscribe/event_router.ts", [
    "if (!(error instanceof ConnectionError)) throw error;",
    "void error;",
  ]),
  mutant(
    "credits are granted when there are none",
    "client/subscribe/credits.ts",
    ["this.#topUpAt = this.#capacity * 0.6;", "this.#topUpAt = 0;"],
    ["#topUpAt = FIRST_TOP_UP;", "#topUpAt = 0;"],
  ),
  mutant("a failed attempt of a job counts as lost", "client/subscribe/credits.ts", [
    `if (attempts || progress === "sta") return;`,
    `if ((attempts && progress !== "fai") || progress === "sta") return;`,
  ]),
  mutant("an attempt whose start was lost is not told", "client/subscribe/credits.ts", [
    "if (createdAt <= Date.parse(ts) && isCovered",
    "if (createdAt < 0 && isCovered",
  ]),
  mutant("what started before a subscription counts as lost", "client/subscribe/event_router.ts", [
    "Date.parse(since!) + AGE_MARGIN",
    "Date.parse(since!) - 60_000",
  ]),
  mutant("one slow read over HTTP ends a wait", "client/follow/poller.ts", [
    "if (!(error instanceof TimeoutError)) throw error;",
    "throw error;",
  ]),
  mutant("silence is measured by the wall clock only", "client/connection/heartbeat.ts", [
    "Math.max(now - this.#heardAt, clock.now() - this.lastMessageAt)",
    "(clock.now() - this.lastMessageAt)",
  ]),
  mutant("a cancel ignores its options", "client/connection/requests.ts", [
    "await send(transport, cancelJob(jobId, options));",
    "await send(transport, cancelJob(jobId));",
  ]),
  mutant("waits are told of a cancel before it is sent", "client/connection/requests.ts", [
    `  await send(transport, cancelJob(jobId, options));
  for (const listener of transport.onCancel) listener(jobId);`,
    `  for (const listener of transport.onCancel) listener(jobId);
  await send(transport, cancelJob(jobId, options));`,
  ]),
  mutant("idle lanes go on listening when no start is pending", "client/start/lane_pool.ts", [
    "      else this.#unsubscribe(lane);\n",
    "",
  ]),
  mutant("a lane that becomes idle goes on listening", "client/start/lane_pool.ts", [
    "    if (!isNeeded) this.#unsubscribe(lane);\n",
    "",
  ]),
  mutant("a wait that ends stops the others", "client/follow/tracker.ts", [
    `      return this.#record!;
    } finally {
      this.#release();`,
    `      return this.#record!;
    } finally {
      this.#users = 1;
      this.#release();`,
  ]),
  mutant("a late answer over HTTP takes the state back", "client/follow/poller.ts", [
    "      if (this.#final) return;\n",
    "",
  ]),
  mutant("the start of a job that began anew is not told", "client/follow/tracker.ts", [
    "!this.#log.has(name) || time > timeOf(last) + pause",
    "!this.#log.has(name)",
  ]),
];
