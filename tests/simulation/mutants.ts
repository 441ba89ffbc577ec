/** A change of the sources that breaks a promise. */
export interface Mutant {
  readonly what: string;
  readonly file: string;
  /** The text to find, exactly once each, and what replaces it. */
  readonly edits: readonly (readonly [string, string])[];
  /** Whether it is in the runner, so that recipes must find it. */
  readonly isRunner?: boolean;
}

/** Creates a mutant. */
export function mutant(what: string, file: string, ...edits: Mutant["edits"]): Mutant {
  return { what, file, edits };
}

/** Mutants that the simulation must find. */
export const MUTANTS: readonly Mutant[] = [
  // Starts.
  mutant(
    "a run is given to the first start of its name",
    "client/start/lanes.ts",
    [
      `const start = this.#starts.get(decodeBase64(input ?? ""));`,
      `const start = [...this.#starts.values()].find((it) => it.name === name);`,
    ],
  ),
  mutant(
    "a lane is dropped before its answer",
    "client/start/lanes.ts",
    ["start.found.resolve(run);", "start.found.resolve(run); this.#pool.drop(lane);"],
  ),
  mutant(
    "a lane is not dropped when its answer does not come",
    "client/start/lane_pool.ts",
    ["lane.cancelTimer = this.#after(ANSWER_TIME, drop);", "void drop;"],
  ),
  mutant(
    "idle lanes are kept for ever",
    "client/start/lane_pool.ts",
    ["lane.cancelTimer = this.#after(LANE_IDLE_TIME, () => void this.#retire(lane));", ""],
  ),
  mutant(
    "a start that was given up keeps its lane",
    "client/start/lanes.ts",
    ["if (either.aborted) this.#pool.drop(lane);", ""],
  ),
  mutant(
    "a lane that is lost goes on feeding its tracker",
    "client/start/lanes.ts",
    [
      "if (!(cause instanceof ConnectionError) || !runId) return;\n      this.#trackers.get(runId)?.stopFeeding();",
      "if (!(cause instanceof ConnectionError) || !runId) return;",
    ],
  ),
  mutant(
    "every lane feeds the tracker of a run",
    "client/start/lanes.ts",
    ["(lane.tracker === tracker && tracker.onEvent(event))", "tracker.onEvent(event)"],
  ),
  mutant(
    "a lane that fell silent is believed to deliver all events",
    "client/follow/tracker.ts",
    ["if (this.#expected && !items.some(", "if (this.#users > 1e9 && !items.some("],
  ),
  mutant(
    "events after the loss of a lane do not wait for those before it",
    "client/follow/tracker.ts",
    ["this.#held ??= [];\n    this.#timer?.wake();", "this.#timer?.wake();"],
  ),
  mutant(
    "a start in flight is told as `not-sent`",
    "client/start/lanes.ts",
    [`limits.delivery = "unknown";\n`, "\n"],
  ),

  // The session.
  mutant(
    "drain ignores waiting calls",
    "client/session.ts",
    [
      "return opening + this.throttle.size + this.#queue.size + (this.#link?.inFlight ?? 0);",
      "return opening + (this.#link?.inFlight ?? 0);",
    ],
  ),
  mutant(
    "drain ignores starts",
    "client/dispatch.ts",
    ["session.inFlight + this.#lanes.inFlight &&", "session.inFlight &&"],
  ),
  mutant(
    "the counter of attempts is reset at each connection",
    "client/session.ts",
    [
      "if (monotonicNow(this.clock) - this.#connectedAt >= HOLD_TIME) this.#attempts = 0;",
      "this.#attempts = 0;",
    ],
  ),
  mutant(
    "there is no gap after a reconnect",
    "client/subscribe/event_router.ts",
    [`    this.reportGap("reconnect", since);\n`, ""],
  ),
  mutant(
    "queued calls are not sent after a reconnect",
    "client/session.ts",
    [
      "this.#queue.drain((call) => this.#sendOn(link, call));",
      "if (attempt === 0) this.#queue.drain((call) => this.#sendOn(link, call));",
    ],
  ),
  mutant(
    "waits do not end when the client gives up",
    "client/session.ts",
    [
      "for (const listener of [...this.onClose]) listener(error);",
      "if (this.#closing) for (const listener of [...this.onClose]) listener(error);",
    ],
  ),
  mutant(
    "reconnecting begins although it is off",
    "client/session.ts",
    ["if (this.#options.reconnect === false) return this.#fail(cause);", ""],
  ),
  mutant(
    "one attempt too many to reconnect",
    "client/session.ts",
    ["this.#attempts < maxRetries)", "this.#attempts <= maxRetries)"],
  ),
  mutant(
    "the delays of reconnecting grow linearly",
    "client/backoff.ts",
    ["base * 2 ** (attempt - 1)", "base * attempt"],
  ),
  mutant(
    "the delays of reconnecting have no limit",
    "client/backoff.ts",
    ["Math.min(cap, base * 2 ** (attempt - 1))", "(base * 2 ** (attempt - 1))"],
  ),

  // Links, calls and deadlines.
  mutant(
    "deadlines follow the wall clock",
    "runtime/clock.ts",
    ["return clock.monotonic ? clock.monotonic() : clock.now();", "return clock.now();"],
  ),
  mutant(
    "a deadline does not move the timer forward",
    "client/connection/deadlines.ts",
    ["if (entry.deadline < this.#armedFor)", "if (this.#armedFor === Infinity)"],
  ),
  mutant(
    "the timer is set for the last deadline",
    "client/connection/deadlines.ts",
    [
      "else if (entry.deadline < next) next",
      "else if (!(entry.deadline < next) || next === Infinity) next",
    ],
  ),
  mutant(
    "a write is repeated after `unknown`",
    "client/connection/link.ts",
    [
      `if (call.request.retry === "unknown" && owner.requeue?.(call)) continue;`,
      "if (owner.requeue?.(call)) continue;",
    ],
  ),
  mutant(
    "reads are not repeated",
    "client/connection/link.ts",
    [`if (call.request.retry === "unknown" && owner.requeue?.(call)) continue;`, ""],
  ),
  mutant(
    "the listener of a signal stays",
    "client/connection/call.ts",
    [`this.request.signal?.removeEventListener("abort", this);`, ""],
  ),
  mutant(
    "a write that was sent is told as `not-sent`",
    "client/connection/call.ts",
    [`return this.id ? "unknown" : undefined;`, "return undefined;"],
  ),
  mutant(
    "calls leave the queue in reverse order",
    "client/connection/offline_queue.ts",
    ["of [...this.calls])", "of [...this.calls].reverse())"],
  ),
  mutant(
    "a silent peer is never found dead",
    "client/connection/heartbeat.ts",
    ["else this.#onDead(", "else if (pingTimeout < 0) this.#onDead("],
  ),

  mutant(
    "a connection that opens as its start is given up stays open",
    "client/connection/connector.ts",
    ["if (either.aborted) void link.close", "if (either.aborted && pings) void link.close"],
  ),
  mutant(
    "a connection that opens as the client is closed stays open",
    "client/session.ts",
    ["if (this.#closedWith) void link.close(this.#closedWith, true);", ""],
  ),

  // Subscriptions.
  mutant(
    "there are no credits after the first grant",
    "client/subscribe/credits.ts",
    ["this.#topUpAt = this.#capacity * 0.6;", "this.#topUpAt = -Infinity;"],
  ),
  mutant(
    "nobody is told that the credits ran out",
    "client/subscribe/credits.ts",
    ["if (this.#confirmed <= 0)", "if (this.#confirmed < -1e9)"],
  ),
  mutant(
    "there is no resubscribe after a reconnect",
    "client/subscribe/event_router.ts",
    [
      "await Promise.all([...this.#serverChannels].map(",
      "await Promise.all([...this.#serverChannels].slice(1e9).map(",
    ],
  ),
  mutant(
    "the first to leave a channel ends it for all",
    "client/subscribe/event_router.ts",
    ["if (receivers.size === 0) await", "if (receivers.size < 1e9) await"],
  ),
  mutant(
    "the rate of enqueues has no limit",
    "client/limits.ts",
    ["ENQUEUES_AHEAD = 24;", "ENQUEUES_AHEAD = 1e9;"],
  ),
  mutant(
    "`drop-newest` drops the oldest",
    "client/subscribe/bounded_queue.ts",
    [
      `let first = item;\n    if (overflow === "drop-oldest") {`,
      `let first = item;\n    if (overflow !== "error") {`,
    ],
  ),
  mutant(
    "one dropped event too few is told",
    "client/subscribe/bounded_queue.ts",
    ["const missed = this.#missed;", "const missed = this.#missed - 1;"],
  ),
  mutant(
    "a marker of dropped events comes too late",
    "client/subscribe/bounded_queue.ts",
    [`if (this.#missed > 0 && overflow === "drop-newest")`, "if (this.#missed > 1e9)"],
  ),

  // Waits and watches.
  mutant(
    "the last event comes before the one before it",
    "client/follow/tracker.ts",
    [
      "if (this.#lastEvent) this.#log.items.push(this.#lastEvent);",
      "if (this.#lastEvent) this.#log.items.splice(-1, 0, this.#lastEvent);",
    ],
  ),
  mutant(
    "the last event is not kept back",
    "client/follow/tracker.ts",
    ["else if (IS_LAST.test(item.type)) {", "else if (this.#users > 1e9) {"],
  ),
  mutant(
    "a wait passes on `failed`",
    "client/follow/tracker.ts",
    [
      `if (this.#record!.state !== "completed") throw`,
      `if (this.#record!.state === "cancelled") throw`,
    ],
  ),
  mutant(
    "a gap leaves the past known",
    "client/follow/tracker.ts",
    ["        this.#pastIsKnown = false;\n        this.add(gap);\n        this.#held ??= [];", ""],
  ),
  mutant(
    "events that arrive early are not held",
    "client/follow/tracker.ts",
    ["if (!this.#fed) this.#held ??= [];", ""],
  ),
  mutant(
    "a follower that leaves stays subscribed",
    "client/follow/tracker.ts",
    ["if (--this.#users === 0) this.#stop!.abort();", "--this.#users;"],
  ),
  mutant(
    "an event that repeats is taken for a duplicate",
    "client/follow/event_log.ts",
    ["REPEATED.test(item.type) ?", 'REPEATED.test("") ?'],
  ),

  // Memory.
  mutant(
    "a closed client keeps the trackers of its runs",
    "client/start/lanes.ts",
    ["this.#trackers.clear();", ""],
  ),
  mutant(
    "a closed client keeps its last link",
    "client/subscribe/event_router.ts",
    ["this.#link = undefined;\n    for", "for"],
  ),
  mutant(
    "a closed client keeps its receivers",
    "client/subscribe/event_router.ts",
    ["    this.#serverChannels.clear();\n", ""],
  ),
  mutant(
    "a start that has settled stays among the pending ones",
    "client/start/lanes.ts",
    ["this.#starts.delete(markedInput!);", ""],
  ),
  mutant(
    "a lane that was dropped stays in the pool",
    "client/start/lane_pool.ts",
    ["this.#lanes.delete(lane);", ""],
  ),
  mutant(
    "a reader of events listens to the caller's signal for ever",
    "client/follow/tracker.ts",
    ["abortable(new Promise(() => {}), left)", "abortable(new Promise(() => {}), signal ?? left)"],
  ),
  mutant(
    "a follower that left is called when the client closes",
    "client/follow/tracker.ts",
    ["onClose.delete(onClosed);", ""],
  ),
  mutant(
    "work that is done waits for the end of the client",
    "client/connection/with_deadline.ts",
    ["onClose.delete(onClosed);", ""],
  ),
  mutant(
    "a stream of events over HTTP is called when the client closes",
    "client/http/sse_session.ts",
    ["onClose.delete(end);", ""],
  ),

  // This includes those that no random program has found so far.
  mutant(
    "calls that wait for their turn are stuck when events are lost",
    "client/subscribe/enqueue_throttle.ts",
    ["this.#unseen = 0;\n      this.#release();", "this.#release();"],
  ),
  mutant(
    "the first connection that fails leaves its calls in the queue",
    "client/session.ts",
    ["this.#queue.drain((call) => call.fail(error));\n      throw error;", "throw error;"],
  ),
  mutant(
    "a client that was connected for long gives up early",
    "client/session.ts",
    ["if (monotonicNow(this.clock) - this.#connectedAt >= HOLD_TIME) this.#attempts = 0;", ""],
  ),
  mutant(
    "a lost connection sends the first attempt at once",
    "client/session.ts",
    ["await delay(wait, {", "await delay(attempt === 1 ? 0 : wait, {"],
  ),
  mutant(
    "the gap names no time if the first attempt to reconnect succeeds",
    "client/session.ts",
    [
      "this.#router.resume(since);",
      "this.#router.resume(attempt > 1 ? since : this.clock.now());",
    ],
  ),
  mutant(
    "a token that expired is used again",
    "client/connection/connector.ts",
    [
      "        this.#token = undefined;\n        // A token",
      "        // A token",
    ],
  ),
  mutant(
    "a call is not removed from its owner when it settles",
    "client/connection/call.ts",
    ["this.owner?.delete(this);", ""],
  ),
  mutant(
    "the deadline of a call that has settled stays",
    "client/connection/call.ts",
    ["this.#deadlines.delete(this);", ""],
  ),
  mutant(
    "a lane that is idle and closed is taken for a start",
    "client/start/lane_pool.ts",
    ["if (lane.link.isOpen) return lane;", "return lane;"],
  ),
  mutant(
    "a tracker forgets its error for good",
    "client/follow/tracker.ts",
    ["this.#error = undefined;\n      this.#ended = false;", "this.#error = undefined;"],
  ),
  mutant(
    "one slow read ends a wait",
    "client/follow/tracker.ts",
    ["if (!(error instanceof TimeoutError)) throw error;", "throw error;"],
  ),
  // A tracker that does not wait for the last event is not here: the event that it makes up from the
  // record says less than the one that it misses, and may do so if that one is late.
  mutant(
    "credits are granted twice",
    "client/subscribe/credits.ts",
    ["this.#left += credits;", "this.#left += credits / 2;"],
  ),
  mutant(
    "a confirmed grant is not counted",
    "client/subscribe/credits.ts",
    ["this.#confirmed += grant.credits;", ""],
  ),
  mutant(
    "a lost event of an overrun buffer is not told",
    "client/subscribe/credits.ts",
    ["this.#options.onLost!(this.#fullSince, this.#fullUntil);", ""],
  ),
  mutant(
    "the receivers of other channels get the event, too",
    "client/subscribe/event_router.ts",
    ["if (channels.includes(channel)) receiver", "receiver"],
  ),
  mutant(
    "a channel that failed is not asked for again",
    "client/subscribe/event_router.ts",
    ["this.#unsubscribe(name, shared).catch(() => {});\n        throw error;", "throw error;"],
  ),
  mutant(
    "an end discards what was not read",
    "client/subscribe/open_subscription.ts",
    ["else queue.end(!keep);", "else queue.end(true);"],
  ),
  mutant(
    "`events()` begins in the middle",
    "client/follow/tracker.ts",
    ["let position = 0;", "let position = this.#log.items.length;"],
  ),
  mutant(
    "pings stop after the first",
    "client/connection/heartbeat.ts",
    ["if (this.#heardAt !== heardAt) this.start();\n      else", "if (this.#heardAt === heardAt)"],
  ),

  // Answers and records.
  mutant("a timeline loses its last entry", "protocol/entity.ts", [
    "export function decodeTimeline(",
    "export function decodeTimeline(a: unknown): TimelineEntry[] { return decodeTimeline0(a).slice(0, -1); }\nfunction decodeTimeline0(",
  ]),
  mutant("enqueueMany returns jobs in another order", "client/enqueue_many.ts", [
    "  return jobs;",
    "  return jobs.reverse();",
  ]),
  mutant("synthesized events have the wrong queue", "client/follow/synthesize_events.ts", [
    "    queue,\n  });",
    "    queue: name,\n  });",
  ]),
  mutant("a run's synthesized events lack the name", "client/follow/synthesize_events.ts", [
    "    run_id: id,\n    name,\n",
    '    run_id: id,\n    name: "",\n',
  ]),
  mutant(
    "cancel resolves without a request when the job is followed",
    "client/connection/requests.ts",
    [
      "  await send(transport, cancelJob(jobId, options));\n  for",
      "  if (transport.onCancel.size === 0) await send(transport, cancelJob(jobId, options));\n  for",
    ],
  ),
  mutant("wait resolves with the record at the start", "client/follow/tracker.ts", [
    "const record = this.#record = await this.#spec.read({ signal });",
    "const record = await this.#spec.read({ signal }); this.#record = { ...(this.#record ?? record), state: record.state };",
  ]),

  // Jobs that begin anew.
  mutant("no start is synthesized", "client/follow/synthesize_events.ts", [
    'if (started_at && (isTerminal(state) || state === "running")) add(',
    'if (started_at && state === "running") add(',
  ]),

  // Statuses, closing and reconnecting.
  mutant("failed is told before disconnected", "client/session.ts", [
    '    this.status.emit({ type: "disconnected", cause });\n    if (this.#options.reconnect === false) return this.#fail(cause);',
    '    if (this.#options.reconnect === false) return this.#fail(cause);\n    this.status.emit({ type: "disconnected", cause });',
  ]),
  mutant("reconnecting is told after the delay", "client/session.ts", [
    '      this.status.emit({ type: "reconnecting", attempt, delay: wait, cause });\n      let link: Link | undefined;\n      try {\n        await delay(wait, { signal: this.#abort.signal, clock: this.clock });',
    '      let link: Link | undefined;\n      try {\n        await delay(wait, { signal: this.#abort.signal, clock: this.clock });\n      this.status.emit({ type: "reconnecting", attempt, delay: wait, cause });',
  ]),
  mutant("connecting is not told", "client/session.ts", [
    '    this.status.emit({ type: "connecting" });\n',
    "",
  ]),
  mutant("a refused token is tried again", "client/session.ts", [
    "if (error instanceof AuthError && !error.cause) return this.#fail(error);",
    "",
  ]),
  mutant("calls after close hang in the queue", "client/session.ts", [
    "      if (this.#closedWith) return reject(inContext(what, this.#closedWith));\n",
    "",
  ]),
  mutant("drain forgets the calls in flight", "client/session.ts", [
    "+ (this.#link?.inFlight ?? 0);",
    ";",
  ]),
  mutant("resubscribing forgets one channel of several", "client/subscribe/event_router.ts", [
    "await Promise.all([...this.#serverChannels].map(",
    "await Promise.all([...this.#serverChannels].filter((_, i) => i !== 1).map(",
  ]),
  mutant("back-off starts at twice the base", "client/backoff.ts", [
    "2 ** (attempt - 1)",
    "2 ** attempt",
  ]),
  mutant("the delay is not random", "client/backoff.ts", [
    "Math.floor(random * Math.min",
    "Math.floor(0.5 * Math.min",
  ]),

  // Calls and deadlines.
  mutant("the queue sends calls that have expired", "client/connection/offline_queue.ts", [
    "  delete(call: Call): void {\n    this.calls.delete(call);",
    '  delete(call: Call): void {\n    if (this.awaited === "turn") this.calls.delete(call);',
  ]),
  mutant("a timeout in flight is told as not-sent", "client/connection/call.ts", [
    "        delivery: this.#delivery,\n",
    "",
  ]),
  mutant("an aborted call goes on", "client/connection/call.ts", [
    "    this.reject(this.request.signal!.reason);",
    "    if (!this.id) this.reject(this.request.signal!.reason);",
  ]),
  mutant("a deadline is one tick late", "client/connection/deadlines.ts", [
    "if (entry.deadline <= now)",
    "if (entry.deadline < now)",
  ]),
  mutant("a call in flight stays when the link closes", "client/connection/link.ts", [
    "      call.fail(cause);\n",
    "      if (this.#nextId > 1e9) call.fail(cause);\n",
  ]),
  mutant("pings are sent from the wrong moment", "client/connection/heartbeat.ts", [
    "  onMessage(): void {",
    "  onMessage(): void { return;",
  ]),
  mutant("a pong is required within no time", "client/connection/heartbeat.ts", [
    "deadlines.add(now + pingTimeout,",
    "deadlines.add(now + 1,",
  ]),
  mutant("work that ends early leaves its deadline", "client/connection/with_deadline.ts", [
    "    cancelDeadline();\n",
    "",
  ]),
  mutant("the caller's signal does not end work", "client/connection/with_deadline.ts", [
    "const either = signal ? AbortSignal.any([signal, limit.signal]) : limit.signal;",
    "const either = limit.signal;",
  ]),

  // Buffers and subscriptions.
  mutant("a gap counts one too many", "client/subscribe/bounded_queue.ts", [
    "const missed = this.#missed;",
    "const missed = this.#missed + 1;",
  ]),
  mutant("dropping the oldest drops two", "client/subscribe/bounded_queue.ts", [
    "while (this.#shift().isMarker);",
    "while (this.#shift().isMarker); if (this.#size > 1) this.#shift();",
  ]),
  mutant("unsubscribe leaves the server subscribed", "client/subscribe/event_router.ts", [
    "      await this.#link?.request(request, this.#host.deadline());",
    "      void request;",
  ]),

  // Lanes.
  mutant("a start is sent again on another lane", "client/start/lane_pool.ts", [
    "      return await lane.send(request);",
    '      return await lane.send(request).catch(async (e) => { if (lane.link.isOpen) throw e; const l = await this.acquire("again", new AbortController().signal); return l.send(request); });',
  ]),
  mutant("starts share a lane", "client/start/lane_pool.ts", [
    "        if (idle) return idle;",
    "        if (idle) return idle; for (const l of this.#lanes) if (l.link.isOpen) return l;",
  ]),
  mutant("no lane listens", "client/start/lane_pool.ts", [
    "listeners.length < LISTENERS",
    "listeners.length < 0",
  ]),
  mutant("the mark is always the same", "client/start/mark.ts", [
    "(byte) => byte % 2)",
    "() => 1)",
  ]),
  mutant("opening a lane is not retried", "client/start/lane_pool.ts", [
    "attempt === OPEN_ATTEMPTS",
    "attempt === 1",
  ]),
  mutant("a closed client leaves lanes open", "client/start/lanes.ts", [
    "      this.#pool.close(error);\n",
    "",
  ]),

  // Waits and watches.
  mutant("a tracker reads only once", "client/follow/tracker.ts", [
    "        await timer.next(!!this.#lastEvent, this.#sawLiveEvent, signal, this.#transport.clock);",
    '        await timer.next(!!this.#lastEvent, true, signal, this.#transport.clock); if (!this.#lastEvent) await new Promise((r) => signal.addEventListener("abort", r));',
  ]),
  mutant("waits on a refused subscription fail", "client/follow/tracker.ts", [
    'if (code !== "timeout") throw error;',
    "throw error;",
  ]),

  // HTTP.
  mutant("a write over HTTP is repeated", "client/http/http_session.ts", [
    'error instanceof ConnectionError && request.retry === "unknown"',
    "error instanceof ConnectionError",
  ]),
  mutant("a lost request over HTTP is told as not-sent", "client/http/http_session.ts", [
    '"connect_failed", { delivery: "unknown", cause }',
    '"connect_failed", { cause }',
  ]),
  mutant("close does not end calls over HTTP", "client/http/http_session.ts", [
    "    for (const listener of [...this.onClose]) listener(error);",
    "",
  ]),
  mutant("a stream is not opened again", "client/http/event_source.ts", [
    "      if (signal.aborted) return;\n      attempt",
    "      if (signal.aborted || attempt < 9) return;\n      attempt",
  ]),
  mutant("a wait over HTTP passes on failed", "client/follow/poller.ts", [
    'if (record.state !== "completed")',
    'if (record.state === "cancelled")',
  ]),
];
