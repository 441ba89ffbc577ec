import { type Mutant, mutant } from "./mutants.ts";

/**
 * Further mutants that the simulation must find: losses and who is told of them, what is asked or sent twice,
 * what is left behind, and tokens and streams over HTTP.
 */
export const LOSS_MUTANTS: readonly Mutant[] = [
  mutant("cancelling counts as a read", "client/connection/requests.ts", [
    "(get|list|timeline)",
    "(get|list|timeline|cancel)",
  ]),
  mutant("an error discards what was not read", "client/subscribe/bounded_queue.ts", [
    "    this.end();\n  }",
    "    this.end(true);\n  }",
  ]),
  mutant("a gap is told to one subscription only", "client/subscribe/event_router.ts", [
    "for (const receiver of this.#allReceivers()) receiver.onGap(gap);",
    "for (const receiver of this.#allReceivers().slice(0, 1)) receiver.onGap(gap);",
  ]),
  mutant("each opening uses up a place", "client/start/lane_pool.ts", [
    "        this.#free++;\n",
    "",
  ]),
  mutant("a dropped lane keeps its timer", "client/start/lane_pool.ts", [
    "closedError()): void {\n    lane.cancelTimer();\n",
    "closedError()): void {\n",
  ]),
  mutant("a run is read with each event", "client/start/lanes.ts", [
    "      this.#candidates.add(run_id);\n",
    "",
  ]),
  mutant("a short text is marked in part", "client/start/mark.ts", [
    "return bits.length ? undefined : marked;",
    "return marked;",
  ]),
  mutant("over HTTP the pauses between reads do not grow", "client/follow/poller.ts", [
    "ms = lengthen(ms))",
    "ms = lengthen(ms) && FIRST_PAUSE)",
  ]),
  mutant("over HTTP a wait does not notice a cancel", "client/follow/poller.ts", [
    "&& cancelled.abort();",
    "&& void cancelled;",
  ]),
  mutant("the gap of earlier attempts has no length", "client/follow/synthesize_events.ts", [
    "addGap(created_at, started_at ?? updated_at);",
    "addGap(created_at, created_at);",
  ]),
  mutant(
    "the gap of a failed step comes after compensations",
    "client/follow/synthesize_events.ts",
    ['    if (step_name.startsWith("compensate:")) addFailure(created_at);\n', ""],
  ),
  mutant("drain knows only the newest deadline", "client/session.ts", [
    "!(deadline < this.lastDeadline!)",
    "deadline",
  ]),
  mutant("an EnqueueManyError has a code of its own", "client/errors.ts", [
    "${cause.message}`, cause.code, { cause });",
    '${cause.message}`, "enqueue_failed", { cause });',
  ]),
  mutant("an operator's hooks get no subject", "client/http/admin_session.ts", [
    "      ...(id === undefined ? {} : { subject: id }),\n",
    "",
  ]),
  mutant("streams do not rotate", "client/http/event_source.ts", [
    "ROTATE_AFTER = 500;",
    "ROTATE_AFTER = 5_000;",
  ]),
  mutant("a stream that was replaced stays open", "client/http/event_source.ts", [
    "    this.#current!.stop.abort();\n    const next",
    "    const next",
  ]),
  mutant("a fixed token that is refused is sent again", "client/connection/connector.ts", [
    `if (!accepted || typeof this.#options.token === "string") throw error;`,
    "if (!accepted) throw error;",
  ]),
  mutant("a request over HTTP goes on when it is given up", "client/http/http_session.ts", [
    "      signal,\n    }, async",
    "    }, async",
  ]),
  mutant("requeued calls are told as not-sent", "client/session.ts", [
    "        this.#queue.add(call);\n        return true;",
    '        call.id = "";\n        this.#queue.add(call);\n        return true;',
  ]),
  mutant("one retry too few over HTTP", "client/http/http_session.ts", [
    "attempt > maxRetries",
    "attempt >= maxRetries",
  ]),
  mutant("a job's cancel ignores its options", "client/job.ts", [
    "cancel(this.#transport, this.job_id, options)",
    "cancel(this.#transport, this.job_id)",
  ]),
  mutant("over HTTP a new token that is refused is renewed", "client/http/http_session.ts", [
    "if (!isTokenNew) continue;",
    "if (attempt < 3) continue;",
  ]),
];
