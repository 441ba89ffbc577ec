import { suggest } from "../runtime/suggest.ts";

/** Describes a quirk. */
export interface QuirkInfo {
  /** What the server does with the quirk. */
  readonly on: string;
  /** What the server does without it. */
  readonly off: string;
  /** Whether real servers have the quirk today, so that it is on by default. */
  readonly default: boolean;
}

/**
 * The differences between real servers and the protocol's documentation, by name. A quirk that is
 * off by default belongs to another release or store, or only makes the server slower.
 */
export const QUIRKS = {
  "blocking-start": {
    on: "`workflow.start` answers after the run has ended; until then the connection reads nothing",
    off: "`workflow.start` answers at once with `state: running`",
    default: true,
  },
  "runs-die-with-request": {
    on: "a run started over RPC, and any spawned child, stops when the request or connection ends",
    off: "a run continues when the request or connection that started it ends",
    default: true,
  },
  "entity-channel": {
    on: "an event frame's `channel` is the entity's own topic",
    off: "it is the first subscribed channel that the event belongs to",
    default: true,
  },
  "silent-queue-channel": {
    on: "clients can subscribe to `queue:<name>`, but nothing is published on it",
    off: "the events of the queue's jobs are published on it",
    default: true,
  },
  "silent-drops": {
    on: "events beyond the credits (1,000) or the buffer (256) are dropped silently",
    off: "no event is dropped",
    default: true,
  },
  "subscribe-credits-ignored": {
    on: "`subscribe.credits` is ignored",
    off: "it sets the credits of the connection",
    default: true,
  },
  "zero-stats": {
    on: "`stats` always reports 0 connections and 0 dropped events",
    off: "it reports how many there are",
    default: true,
  },
  "msgpack-unreadable": {
    on: "a connection that asks for `msgpack` is cut right after the answer to `auth`",
    off: "MessagePack frames are sent as binary messages",
    default: true,
  },
  "unclean-drop": {
    on: "a rejected connection is dropped without a close frame (code 1006, or 0)",
    off: "it is closed with code 1008",
    default: true,
  },
  "any-type-is-a-request": {
    on: "a frame of any `type` is handled as a request; without a method it is answered with 405",
    off: "frames other than `request` and `ping` are ignored",
    default: true,
  },
  "methods-missing": {
    on: "`job.list`, `workflow.cancel`, `workflow.replay`, `cron.list` and `dlq.*` answer 405",
    off: "they work",
    default: true,
  },
  "cancel-overwrites": {
    on: "`job.cancel` overwrites the state of an ended job, and does not stop a running one",
    off: "it stops a running job, and answers 409 for an ended one",
    default: true,
  },
  "unknown-job-hangs": {
    on: "a job without a handler stays `running`, and starts again every 30 to 60 s",
    off: "it fails at once and becomes a dead letter",
    default: true,
  },
  "outputs-lost": {
    on: "runs have no `output`, and `runChild` returns `null`",
    off: "the value that a workflow's handler returns is the run's output",
    default: true,
  },
  "gob-results": {
    on: "the timeline shows step results in Go's gob format",
    off: "it shows them as JSON",
    default: true,
  },
  "children-share-checkpoint": {
    on: "a run that starts several children of the same name starts only the first",
    off: "it starts all of them; the checkpoints after the first are named `…:<n>`",
    default: true,
  },
  "tenants-open": {
    on: "every token can read the jobs, runs and events of all tenants",
    off: "a token cannot see those of another tenant",
    default: true,
  },
  "bare-authorization": {
    on: "RPC uses the whole `Authorization` header as the token; `Bearer x` is rejected",
    off: "`Bearer x` works too",
    default: true,
  },
  "strict-content-type": {
    on: "RPC accepts `Content-Type: application/json` or none, without parameters",
    off: "parameters and upper case are accepted",
    default: true,
  },
  "sse-always-200": {
    on: "SSE answers 200 to a bad token or a missing channel, then ends without an event",
    off: "SSE answers 401, 400 or 403",
    default: true,
  },
  "admin-lists-missing": {
    on: "the admin API has no lists of jobs, runs, dead letters and cron entries: 404",
    off: "it has them; they are this server's own",
    default: true,
  },
  "admin-twice": {
    on: "the admin API sends a job, run, dead letter or cron entry as two equal lines of JSON",
    off: "it sends it once",
    default: true,
  },
  "admin-open": {
    on: "the admin API asks for no token, and pages of any origin may send it reads",
    off: "it asks for a token with the scope `admin`",
    default: true,
  },
  "slow-polling": {
    on: "retries wait for the next poll of the workers: 2 s or more, unless a new job wakes them",
    off: "retries start when they are due",
    default: false,
  },
  "random-event-order": {
    on: "a run that waits for an event takes a random one of several (as with the memory store)",
    off: "it takes the oldest (as with the other stores)",
    default: false,
  },
  "definition-options-ignored": {
    on: "jobs have 3 retries and a timeout of 5 minutes, regardless of their definition",
    off: "the definition's options apply",
    default: false,
  },
  "inbound-limit": {
    on: "a message over 1 MiB drops the connection (as on newer servers)",
    off: "messages can have any length",
    default: false,
  },
  "origin-check": {
    on: "a page of another host or port is rejected with 403 (as on newer servers)",
    off: "every page of a loopback address may connect",
    default: false,
  },
  "uuid-sessions": {
    on: "session ids are UUIDs (as on newer servers)",
    off: "session ids are `ws_` followed by a time",
    default: false,
  },
} as const satisfies Record<string, QuirkInfo>;

/** The name of a quirk. */
export type QuirkName = keyof typeof QUIRKS;

/**
 * The quirks of a server: `"default"` behaves as real servers do, `"none"` as the protocol's
 * documentation says. An object switches single quirks and leaves the others at their default.
 */
export type QuirkOptions = "default" | "none" | Partial<Record<QuirkName, boolean>>;

/**
 * Thrown when there is no quirk of a name.
 *
 * @example
 * ```ts
 * import { createDevServer, UnknownQuirkError } from "@dispatch/sdk/dev";
 * import assert from "node:assert/strict";
 *
 * const quirks = JSON.parse('{ "no-such-quirk": true }');
 * await assert.rejects(createDevServer({ quirks }), UnknownQuirkError);
 * ```
 */
export class UnknownQuirkError extends Error {
  /** Always `"unknown_quirk"`. */
  readonly code = "unknown_quirk";

  /** Creates an error that suggests a similar name, or lists all quirks. */
  constructor(name: string) {
    const nearest = suggest(name, Object.keys(QUIRKS));
    const hint = nearest === undefined
      ? `there are ${Object.keys(QUIRKS).join(", ")}`
      : `did you mean '${nearest}'?`;
    super(`Cannot switch quirk '${name}': no such quirk; ${hint}`);
    this.name = "UnknownQuirkError";
  }
}

/**
 * Resolves options to the state of every quirk.
 * @throws {UnknownQuirkError} If the options name a quirk that does not exist.
 */
export function resolveQuirks(options: QuirkOptions = "default"): Record<QuirkName, boolean> {
  const resolved = {} as Record<QuirkName, boolean>;
  for (const [name, info] of Object.entries(QUIRKS)) {
    resolved[name as QuirkName] = options !== "none" && info.default;
  }
  if (typeof options === "string") return resolved;
  for (const [name, on] of Object.entries(options)) {
    if (!Object.hasOwn(QUIRKS, name)) throw new UnknownQuirkError(name);
    if (on !== undefined) resolved[name as QuirkName] = on;
  }
  return resolved;
}
