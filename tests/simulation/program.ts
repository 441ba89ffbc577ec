import fc from "fast-check";
import type { BackoffOptions } from "../../mod.ts";
import type { WorldFaultAction } from "../../testing/mod.ts";

/** How to make a value that an operation sends. */
export const VALUES = ["object", "array", "text", "short", "number", "null", "none"] as const;
export type ValueKind = typeof VALUES[number];

export const JOBS = ["noop", "work", "fails", "flaky", "nobody"] as const;
export const WORKFLOWS = [
  "quick",
  "nap",
  "gate",
  "broken",
  "fan",
  "hour",
  "long",
  "slow",
  "crawl",
  "steady",
  "brisk",
  "missing",
] as const;
export const EVENTS = ["go", "stop"] as const;

/** The methods that clients call by their names; servers have no `job.paint`. */
export const METHODS = ["stats", "job.get", "workflow.start", "job.paint"] as const;

/** What operators do besides reading and cancelling. */
export const TASKS = [
  ...["counts", "workflows", "retry", "letters", "letter", "replay", "replayAll", "purge"] as const,
] as const;

/** What a client does. A `pick` chooses one of the jobs or runs that exist when it begins. */
export type Operation =
  | { do: "connect" }
  | {
    do: "enqueue";
    name: typeof JOBS[number];
    value: ValueKind;
    retry?: "unknown";
    queue?: "default" | "other";
    priority?: number;
    /** What the client does when the job is known. */
    then?: "follow" | "waitJob";
    /** How many milliseconds later. */
    pause?: number;
  }
  | {
    do: "enqueueMany";
    name: typeof JOBS[number];
    count: number;
    window: number;
    queue?: "default" | "other";
  }
  | { do: "getJob"; pick: number }
  | { do: "cancel"; pick: number }
  | {
    do: "start";
    name: typeof WORKFLOWS[number];
    value: ValueKind;
    same: boolean;
    /** What the client does when the run is known. */
    then?: "watch" | "waitRun";
    /** How many milliseconds later. */
    pause?: number;
  }
  | { do: "getRun"; pick: number }
  | { do: "timeline"; pick: number }
  | { do: "publish"; name: typeof EVENTS[number] }
  | {
    do: "subscribe";
    channel: "jobs" | "workflows" | "firehose" | "job" | "run" | "queue" | "otherQueue";
    pick: number;
    buffer?: number;
    overflow?: "drop-oldest" | "drop-newest" | "error";
    /** How many milliseconds the reader takes for each event. */
    slow?: number;
    /** After how many items the reader leaves the loop. */
    take?: number;
  }
  | { do: "unsubscribe"; pick: number; using?: boolean }
  | { do: "watch"; pick: number; take?: number }
  | { do: "follow"; pick: number; take?: number }
  | { do: "waitJob"; pick: number; timeout?: number }
  | { do: "waitRun"; pick: number; timeout?: number }
  | { do: "stats" }
  /** Any method by its name. */
  | {
    do: "call";
    method: typeof METHODS[number];
    name: typeof WORKFLOWS[number];
    value: ValueKind;
    pick: number;
  }
  /** What only operators do. */
  | { do: "operate"; what: typeof TASKS[number]; pick: number }
  | {
    do: "close";
    drain: boolean;
    /** Whether it happens at the end of a block, by `await using`, which drains. */
    using?: boolean;
  };

/** A moment between two turns of a client. */
export interface Moment {
  /** After so many frames have arrived at the client. */
  frames: number;
  /** So many turns of the queue of microtasks later. */
  turns: number;
}

/** A step in which a client begins an operation. */
export interface CallStep {
  /** How many milliseconds after the previous step. */
  after: number;
  client: number;
  op: Operation;
  /** Whether the next step waits until this one has settled. */
  wait: boolean;
  /** When it begins, unless at once; the next step does not wait for it then. */
  at?: Moment;
  /**
   * After how many milliseconds the signal of the call aborts, or when else. {@linkcode BEFORE} means
   * before the call.
   */
  abort?: number | Moment;
  timeout?: number;
  /** How often the operation begins, at the same moment and with different values. */
  times?: number;
}

/** One step of a program. */
export type Step =
  | CallStep
  /** Nothing happens, so that what has begun goes on. */
  | { after: number; pause: true }
  | { after: number; node: number; restart: number }
  | { after: number; cutAll: "cut" | "half-open" }
  /** One of the newest connections drops. */
  | { after: number; cutOne: number }
  /**
   * The next event that is published because of a request costs its publisher the connection, and a
   * subscriber, too: a race of real servers.
   */
  | { after: number; race: true }
  /** All nodes restart with an empty store. */
  | { after: number; wipe: true }
  /** The tokens of the clients that can get another one expire. */
  | { after: number; expire: true }
  /** Somebody sets the clock of a client's machine. */
  | { after: number; client: number; setClock: number }
  /** A client's machine sleeps. */
  | { after: number; client: number; sleep: number };

/** The settings of a client. */
export interface ClientPlan {
  reconnect: boolean;
  maxRetries: number;
  timeout: number;
  /** Whether each connection goes to a random node. */
  isBalanced: boolean;
  /** Whether the client has a function that returns another token each time. */
  hasFreshTokens: boolean;
  /** Whether the client has one token that may expire, unlike that of most others. */
  hasOwnToken?: boolean;
  /** Which calls of the function for the token fail, counted from 1. */
  tokenFails?: readonly number[];
  /** Which of its calls return a token that no server accepts. */
  wrongTokens?: readonly number[];
  /** How many calls may wait for a connection. */
  maxQueue?: number;
  /** After how many milliseconds of silence the client sends a ping. */
  pingInterval?: number;
  /** How long it waits between attempts to reconnect. */
  backoff?: BackoffOptions;
  connectTimeout?: number;
  pingTimeout?: number;
  /** How often a client over HTTP sends a read again that got no answer. */
  httpRetries?: number;
  /** Most clients use a WebSocket; those over HTTP leave out what they cannot do. */
  transport: "socket" | "rpc" | "sse" | "admin";
  /** Whether the client has hooks. */
  hasHooks?: boolean;
  /** What the client asks for instead of JSON. */
  format?: "msgpack";
  /** How many credits a grant fills the window up to. */
  credits: number;
}

/** The kinds of frames that faults are planned for. */
export const FRAME_KINDS = [
  ...["any", "open", "write", "answer", "event"] as const,
  // An event of a connection that has started a run, the answer to a start, a grant of credits, and a
  // message of a stream over HTTP.
  ...["lane", "result", "grant", "stream"] as const,
  // The answers to requests to subscribe and to unsubscribe, pings of clients, and their answers.
  ...["joined", "left", "ping", "pong"] as const,
] as const;
export type FrameKind = typeof FRAME_KINDS[number];

/** A fault, which happens to the frame with this number among those of its kind. */
export interface PlannedFault {
  of?: FrameKind;
  frame: number;
  do: WorldFaultAction;
  ms: number;
}

/** When a world begins. */
export const START = Date.parse("2026-01-01T00:00:00Z");

/** How many milliseconds after a fault has begun everything that it holds up has arrived. */
export const LONGEST_FAULT = 2_100;

/** Everything that a simulation does. */
export interface Program {
  seed: number;
  nodes: number;
  /** Whether nothing goes wrong: faults and what happens to the nodes are left out. */
  isCalm: boolean;
  /** Whether the nodes cut who asks for MessagePack, as the servers do that cannot write it. */
  cutsMsgpack?: boolean;
  latency: readonly [number, number];
  clients: readonly ClientPlan[];
  steps: readonly Step[];
  faults: readonly PlannedFault[];
}

/** Whether nothing happens to the nodes, the connections and the machines but by faults. */
export function hasOnlyCalls({ steps }: Program): boolean {
  return steps.every((step) => "op" in step || "pause" in step);
}

/** The moment of a signal that has aborted before its call. */
export const BEFORE: Moment = { frames: 0, turns: 0 };

/** A signal that has not aborted when the program ends. */
export const NEVER = 1_000_000_000;

/** Generates a value once in so many times, and else nothing. */
export function rarely<T>(arbitrary: fc.Arbitrary<T>, times: number): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: times - 1, arbitrary: fc.constant(undefined) }, arbitrary);
}
