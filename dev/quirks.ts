/** What a quirk is, and whether it is on when nothing is said. */
export interface QuirkInfo {
  /** What the server does with it, in one sentence. */
  readonly on: string;
  /** What it does without. */
  readonly off: string;
  /** Whether today's servers have it. */
  readonly default: boolean;
}

/**
 * Where servers of today differ from the protocol's documentation, each by name. Those that are off
 * by default are of other releases or stores, or cost only time.
 */
export const QUIRKS = {
  "blocking-start": {
    on: "`workflow.start` answers when the run has ended; its connection reads nothing meanwhile",
    off: "`workflow.start` answers at once with `state: running`",
    default: true,
  },
  "runs-die-with-request": {
    on: "a run started over RPC, and every spawned child, dies with the request or connection",
    off: "a run goes on whatever becomes of its starter",
    default: true,
  },
  "entity-channel": {
    on: "an event frame's `channel` is the entity's own topic",
    off: "it is the subscribed channel that the event matched first",
    default: true,
  },
  "silent-queue-channel": {
    on: "`queue:<name>` can be subscribed to and gets nothing",
    off: "it gets the events of the queue's jobs",
    default: true,
  },
  "silent-drops": {
    on: "events beyond the credits (1,000) or the buffer (256) are dropped without a word",
    off: "no event is ever dropped",
    default: true,
  },
  "subscribe-credits-ignored": {
    on: "`subscribe.credits` is ignored",
    off: "it sets the connection's credits",
    default: true,
  },
  "zero-stats": {
    on: "`stats` says 0 connections and 0 dropped events, always",
    off: "it counts them",
    default: true,
  },
  "msgpack-unreadable": {
    on: "a connection that asks for `msgpack` is cut right behind the answer to its `auth`",
    off: "MessagePack travels in binary frames",
    default: true,
  },
  "unclean-drop": {
    on: "a refused connection is dropped without a close frame (1006, or 0)",
    off: "it is closed with 1008",
    default: true,
  },
  "any-type-is-a-request": {
    on: "a frame with a method is served whatever its `type`, one without is a 405",
    off: "only `request` and `ping` frames are looked at",
    default: true,
  },
  "methods-missing": {
    on: "`job.list`, `workflow.cancel`, `workflow.replay`, `cron.list` and `dlq.*` are 405",
    off: "they are served",
    default: true,
  },
  "cancel-overwrites": {
    on: "`job.cancel` overwrites the state of an ended job and does not stop a running one",
    off: "it stops a running job, and an ended one is a 409",
    default: true,
  },
  "unknown-job-hangs": {
    on: "a job no worker knows stays `running` and is begun anew every 30 to 60 s",
    off: "it fails at once and goes to the dead letters",
    default: true,
  },
  "outputs-lost": {
    on: "a run has no `output`, and `runChild` gives `null`",
    off: "what a workflow's handler returns is the run's output",
    default: true,
  },
  "gob-results": {
    on: "a step's result stands in the timeline as Go's gob bytes",
    off: "it stands there as JSON",
    default: true,
  },
  "children-share-checkpoint": {
    on: "of several children of one name a run starts only the first",
    off: "it starts them all; from the second on the checkpoint's name ends in `:<n>`",
    default: true,
  },
  "tenants-open": {
    on: "every token reads every tenant's jobs, runs and events",
    off: "what is another tenant's is unknown",
    default: true,
  },
  "bare-authorization": {
    on: "RPC takes the `Authorization` header whole; `Bearer x` is refused",
    off: "`Bearer x` is taken too",
    default: true,
  },
  "strict-content-type": {
    on: "RPC takes `Content-Type: application/json` or none, and nothing behind it",
    off: "parameters and upper case pass",
    default: true,
  },
  "sse-always-200": {
    on: "SSE answers 200 to a bad token or a missing channel and ends without an event",
    off: "it answers 401, 400 or 403",
    default: true,
  },
  "slow-polling": {
    on: "a retry waits for the workers' next look at the queues: 2 s, then longer, unless woken",
    off: "a retry begins when it is due",
    default: false,
  },
  "random-event-order": {
    on: "of several events of one name a waiting run takes any (the memory store)",
    off: "it takes the oldest (the other stores)",
    default: false,
  },
  "definition-options-ignored": {
    on: "a job enqueued over the wire has 3 retries and 5 minutes, whatever its definition says",
    off: "the definition's options hold",
    default: false,
  },
  "inbound-limit": {
    on: "a message over 1 MiB drops its connection (newer servers)",
    off: "messages of any length are taken",
    default: false,
  },
  "origin-check": {
    on: "a WebSocket whose `Origin` is another host's is refused with 403 (newer servers)",
    off: "`Origin` is not looked at",
    default: false,
  },
  "uuid-sessions": {
    on: "session ids are UUIDs (newer servers)",
    off: "session ids are `ws_` and a time",
    default: false,
  },
} as const satisfies Record<string, QuirkInfo>;

/** The name of a quirk. */
export type QuirkName = keyof typeof QUIRKS;

/**
 * Which quirks a server has: `"default"` is what today's servers do, `"none"` the protocol as its
 * documentation reads; an object switches single ones of the default.
 */
export type QuirkOptions = "default" | "none" | Partial<Record<QuirkName, boolean>>;

/** Thrown when a quirk is named that there is not. */
export class UnknownQuirkError extends Error {
  /** Always `"unknown_quirk"`. */
  readonly code = "unknown_quirk";

  /** Names it, and those there are. */
  constructor(name: string) {
    super(
      `Cannot switch quirk: no quirk is called '${name}', there are ${
        Object.keys(QUIRKS).join(", ")
      }`,
    );
    this.name = "UnknownQuirkError";
  }
}

/**
 * Every quirk, switched on or off.
 * @throws {UnknownQuirkError} When a name is none.
 */
export function resolveQuirks(options: QuirkOptions = "default"): Record<QuirkName, boolean> {
  const resolved = {} as Record<QuirkName, boolean>;
  for (const [name, info] of Object.entries(QUIRKS)) {
    resolved[name as QuirkName] = options !== "none" && info.default;
  }
  if (typeof options === "string") return resolved;
  for (const [name, on] of Object.entries(options)) {
    if (!Object.hasOwn(QUIRKS, name)) throw new UnknownQuirkError(name);
    resolved[name as QuirkName] = on;
  }
  return resolved;
}
