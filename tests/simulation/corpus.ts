import type { CallStep, ClientPlan, Operation, PlannedFault, Program, Step } from "./program.ts";

/** A program that once contradicted a rule, made small. */
export interface Found {
  readonly what: string;
  readonly program: Program;
}

const client: ClientPlan = {
  reconnect: true,
  maxRetries: 10,
  timeout: 30_000,
  isBalanced: false,
  hasFreshTokens: false,
  transport: "socket",
  credits: 100_000,
};
const enqueue: Operation = { do: "enqueue", name: "noop", value: "object" };
const start: Operation = { do: "start", name: "quick", value: "object", same: false };

function call(op: Operation, more: Partial<CallStep> = {}): CallStep {
  return { after: 0, client: 0, op, wait: false, ...more };
}

function program(
  steps: readonly Step[],
  faults: readonly PlannedFault[] = [],
  clients: readonly ClientPlan[] = [client],
): Program {
  return { seed: 0, nodes: 1, isCalm: false, latency: [1, 1], clients, steps, faults };
}

/** Every program that the simulation has found. */
export const CORPUS: readonly Found[] = [
  {
    what: "a subscription that ended before the server confirmed it is not asked for again",
    program: program([
      call(enqueue),
      { after: 4, cutAll: "cut" },
      call({ do: "waitRun", pick: 0 }, { abort: 0 }),
      call(enqueue),
    ]),
  },
  {
    what: "a subscription that ended while the client reconnected is not left behind",
    program: program(
      [
        call({ do: "connect" }),
        { after: 10, cutAll: "cut" },
        call({ do: "subscribe", channel: "jobs", pick: 0 }, { after: 876, abort: 2 }),
      ],
    ),
  },
  {
    what: "a subscription whose answer is late is ended at the server",
    program: program(
      [call({ do: "subscribe", channel: "jobs", pick: 0 }), call(enqueue, { after: 31_000 })],
      [{ frame: 5, do: "drop", ms: 0 }],
    ),
  },
  {
    what: "an error that names no request is not for the only call if another was given up",
    program: program(
      [call({ do: "getJob", pick: 0 }, { timeout: 5 }), call(enqueue, { after: 5 })],
      [{ frame: 4, do: "malformed", ms: 0 }],
    ),
  },
  {
    what: "an error that names no request is not for the only call if a ping was sent before it",
    program: {
      ...program(
        [call({ do: "connect" }, { wait: true }), call(enqueue, { after: 1_010 })],
        [{ frame: 4, do: "malformed", ms: 0 }],
        [{ ...client, pingInterval: 1_000 }],
      ),
      latency: [20, 20],
    },
  },
  {
    what: "a start in flight at `close` may have happened",
    program: program([call(start), call({ do: "close", drain: false }, { after: 8 })]),
  },
  {
    what: "a start in flight when the client fails may have happened",
    program: program(
      [call(start), { after: 8, cutAll: "cut" }],
      [],
      [{ ...client, reconnect: false }],
    ),
  },
  {
    what: "a write that waits to be sent again when the client fails may have happened",
    program: program(
      [call({ ...enqueue, retry: "unknown" })],
      [{ frame: 5, do: "cut", ms: 0 }],
      [{ ...client, reconnect: false }],
    ),
  },
  {
    what: "a stream of another node yields no events that are late",
    program: {
      ...program(
        [
          call({ ...enqueue, name: "nobody" }, { times: 20 }),
          { after: 4, client: 0, sleep: 3_600_000 },
          call({ do: "subscribe", channel: "jobs", pick: 0 }, { client: 2, times: 2 }),
          { after: 1, cutOne: 0 },
        ],
        [],
        [client, client, { ...client, transport: "sse" }],
      ),
      nodes: 2,
    },
  },
  {
    what: "a channel that is refused after a reconnect is not asked for again",
    program: program(
      [
        call({ do: "subscribe", channel: "jobs", pick: 0 }),
        call(enqueue, { client: 1 }),
        call({ do: "close", drain: true }, { client: 1, wait: true }),
        { after: 0, node: 0, restart: 0 },
        call({ do: "follow", pick: 0 }, { after: 1 }),
        call({ do: "connect" }, { after: 849 }),
        call({ do: "subscribe", channel: "jobs", pick: 0 }, { after: 28 }),
      ],
      [{ of: "any", frame: 6, do: "malformed", ms: 1_491 }],
      [client, client],
    ),
  },
  {
    what: "a watch misses no event of a lane that went silent before the client reconnected",
    program: program([
      call({ ...start, name: "long", then: "watch" }, { wait: true }),
      { after: 0, cutAll: "half-open" },
      { after: 0, cutOne: 1 },
    ]),
  },
  {
    what: "a watch yields the events of a run in order, although one lane is slower than another",
    program: program(
      [
        call({ ...start, name: "nap" }),
        call({ do: "follow", pick: 0 }),
        call({ ...start, name: "missing", then: "watch" }, { wait: true, times: 2 }),
      ],
      [
        { of: "any", frame: 4, do: "stall", ms: 149 },
        { of: "any", frame: 6, do: "half-open", ms: 0 },
      ],
      [{ ...client, reconnect: false }],
    ),
  },
  {
    what: "a slow reader has lost no event that is still in its buffer",
    program: program([
      call({ do: "enqueueMany", name: "fails", count: 288, window: 64 }),
      call({ do: "subscribe", channel: "jobs", pick: 0, slow: 56 }),
    ]),
  },
  {
    what: "an event from before a client slept may fill a buffer of a later subscription",
    program: program([
      call({ do: "subscribe", channel: "jobs", pick: 0 }),
      call(enqueue),
      { after: 4, client: 0, sleep: 3_104 },
      call({ do: "subscribe", channel: "jobs", pick: 0, buffer: 1, slow: 1 }),
    ]),
  },
  {
    what: "a lane that opens in the turn in which its start is given up is closed",
    program: program([call(start, { abort: { frames: 2, turns: 0 } })]),
  },
  {
    what: "a start that is given up in the turn in which its run is found has lost no lane",
    program: program([
      call({ ...start, name: "fan" }, { abort: { frames: 5, turns: 0 } }),
    ]),
  },
  {
    what: "a client that is closed in the turn in which it connects says so",
    program: {
      ...program(
        [
          call({ do: "close", drain: false }, { at: { frames: 1, turns: 2 } }),
          call({ do: "connect" }),
          call(enqueue, { client: 1, after: 50 }),
        ],
        [],
        [client, client],
      ),
      isCalm: true,
    },
  },
  {
    what: "a drain waits for a start while the client reconnects",
    program: program([
      call(enqueue, { timeout: 1 }),
      call(start, { after: 4 }),
      { after: 0, cutAll: "cut" },
      call({ do: "close", drain: true }),
    ]),
  },
  {
    what: "a full buffer may drop the gap of a new connection, too",
    program: program(
      [
        call({ do: "subscribe", channel: "jobs", pick: 0, buffer: 1, slow: 34 }),
        call(enqueue),
        call({ ...enqueue, name: "nobody" }, { after: 6 }),
        call({ ...enqueue, name: "nobody" }, { at: { frames: 2, turns: 0 } }),
        call({ do: "stats" }, { after: 71 }),
        call({ do: "stats" }, { after: 24 }),
      ],
      [{ of: "event", frame: 4, do: "cut", ms: 0 }],
    ),
  },
  {
    what: "an event whose frame the network lost alone may never be yielded",
    program: {
      ...program(
        [
          call({ ...start, value: "array", same: true, then: "watch", pause: 1_500 }, {
            after: 3,
            client: 1,
            wait: true,
            times: 2,
          }),
          call({ ...start, name: "long", value: "array", then: "watch", pause: 0 }, {
            after: 7,
            client: 1,
            wait: true,
          }),
          call({ do: "waitRun", pick: 1 }, { after: 18, client: 3, wait: true }),
          call({ do: "close", drain: false, using: false }, { after: 662 }),
          call({ do: "waitRun", pick: 3, timeout: 1_960 }, { after: 1_439, client: 1 }),
        ],
        [
          { of: "event", frame: 4, do: "cut", ms: 790 },
          { of: "event", frame: 13, do: "drop", ms: 502 },
          { of: "lane", frame: 3, do: "half-open", ms: 1_355 },
          { of: "lane", frame: 23, do: "half-open", ms: 1_847 },
        ],
        [{ ...client, credits: 10 }, {
          ...client,
          pingInterval: 4_000,
          credits: 10,
          hasHooks: true,
        }],
      ),
      nodes: 2,
      latency: [0, 200],
    },
  },
  {
    what: "an event whose frame the network lost alone may be yielded late",
    program: program(
      [
        call({ ...start, name: "long", value: "text", pause: 0 }),
        call({ do: "publish", name: "stop" }, { after: 1_159, wait: true }),
        call({ do: "watch", pick: 3 }, { after: 27, abort: { frames: 2, turns: 3 } }),
        call({ ...start, name: "long", value: "none", pause: 1_500 }, { after: 9, wait: true }),
        call({ do: "watch", pick: 3 }, { after: 10, wait: true }),
        call({ ...start, name: "nap", same: true, then: "waitRun", pause: 0 }, {
          after: 21,
          at: { frames: 1, turns: 3 },
        }),
      ],
      [{ of: "lane", frame: 3, do: "drop", ms: 829 }],
      [{ ...client, credits: 10 }],
    ),
  },
  {
    what: "a stream over HTTP that broke before its first event is told as a gap",
    program: program(
      [
        call({ do: "subscribe", channel: "otherQueue", pick: 1 }, { after: 28 }),
        call({ ...enqueue, name: "fails", value: "short", queue: "other" }, {
          after: 1_849,
          client: 1,
          times: 3,
        }),
        { after: 0, wipe: true },
      ],
      [],
      [{ ...client, transport: "sse" }, { ...client, transport: "sse" }],
    ),
  },
  {
    what: "a stream over HTTP does not end before what was delayed on it",
    program: {
      ...program(
        [
          call({ ...enqueue, name: "fails", value: "text" }, { after: 8, wait: true }),
          call({ do: "subscribe", channel: "jobs", pick: 7 }, { after: 6_122, wait: true }),
          call({ ...enqueue, name: "fails", value: "text", retry: "unknown" }, { after: 6_816 }),
          call({ ...enqueue, value: "null" }, { after: 6_481, wait: true }),
          call({ ...enqueue, name: "work", value: "array" }, { after: 30, wait: true, times: 4 }),
          call({ ...enqueue, name: "work", value: "text" }, { after: 7_403, times: 4 }),
          call({ ...enqueue, name: "work", value: "text" }, { after: 5_585 }),
        ],
        [
          { of: "stream", frame: 9, do: "cut", ms: 1_183 },
          { of: "stream", frame: 4, do: "delay", ms: 1_611 },
          { of: "stream", frame: 3, do: "cut", ms: 521 },
        ],
        [{ ...client, maxRetries: 2, timeout: 2_000, transport: "sse", credits: 10 }],
      ),
      seed: 376_111,
      nodes: 2,
      latency: [0, 200],
    },
  },
  {
    what: "a client that falls asleep right after a ping sends the next one a little later",
    program: program(
      [
        call({ ...start, name: "brisk", value: "number", same: true }, { after: 28, wait: true }),
        { after: 30, client: 0, sleep: 60_000 },
      ],
      [{ of: "any", frame: 7, do: "half-open", ms: 0 }],
    ),
  },
  {
    what: "a full buffer may drop the gap for credits, too",
    program: program(
      [
        call({ do: "subscribe", channel: "jobs", pick: 0, buffer: 1, slow: 125 }, { wait: true }),
        call({ do: "enqueueMany", name: "noop", count: 350, window: 1_000 }, { client: 1 }),
        call({ ...enqueue, name: "nobody" }, { client: 1, after: 50, times: 4 }),
      ],
      [],
      [{ ...client, credits: 10 }, client],
    ),
  },
  {
    what: "a drain does not wait for a connection that nobody needs",
    program: program([
      call({ do: "subscribe", channel: "jobs", pick: 0 }),
      { after: 3, node: 0, restart: 18_720 },
      call({ do: "subscribe", channel: "workflows", pick: 0 }, { wait: true }),
      call({ do: "connect" }),
      call({ do: "close", drain: true }),
    ]),
  },
  {
    what: "a run may be found late if all lanes that listen are at other nodes",
    program: {
      ...program([call({ ...start, name: "hour" }, { times: 15 })], [], [
        { ...client, isBalanced: true },
      ]),
      nodes: 2,
    },
  },
  {
    what: "an event on its way through a dead connection is no pending work of a closed client",
    program: {
      ...program([
        call({ do: "subscribe", channel: "jobs", pick: 0 }, { wait: true }),
        call({ ...enqueue, name: "nobody" }, { wait: true }),
        { after: 0, cutAll: "half-open" },
        call({ do: "stats" }, { after: 23_050 }),
      ]),
      latency: [200, 200],
    },
  },
  {
    what: "a client that is closed as it reconnects forgets its link",
    program: program([
      call({ do: "waitJob", pick: 0 }),
      call({ do: "close", drain: true }, { after: 10, at: { frames: 2, turns: 2 }, times: 2 }),
      { after: 2, cutAll: "cut" },
      call({ do: "connect" }, { after: 878, at: { frames: 0, turns: 0 }, abort: 0 }),
    ]),
  },
  {
    what:
      "a watch yields events in order, although a slow lane delivers one after the control link",
    program: {
      ...program(
        [
          call({ ...start, name: "long", value: "none", then: "watch", pause: 1_500 }, {
            after: 11,
            wait: true,
          }),
          call({ do: "watch", pick: 7 }, { after: 5, wait: true }),
          call({ do: "watch", pick: 0 }, { after: 1_316 }),
        ],
        [{ of: "lane", frame: 4, do: "delay", ms: 928 }],
        [{ ...client, reconnect: false, credits: 10 }],
      ),
      seed: 981_361,
      latency: [0, 200],
    },
  },
  {
    what: "a wait that begins on a closed client does not fail with the error of an earlier one",
    program: program([
      call({ ...enqueue, name: "nobody" }, { wait: true }),
      { after: 10, wipe: true },
      call({ do: "waitJob", pick: 0 }, { after: 5_000, wait: true }),
      call({ do: "close", drain: false }, { wait: true }),
      call({ do: "waitJob", pick: 0 }, { after: 10 }),
      call({ do: "follow", pick: 0 }, { after: 10 }),
    ]),
  },
  {
    what: "a request over HTTP that is repeated may be carried out before it is refused",
    program: program(
      [call({ ...enqueue, retry: "unknown" })],
      [{ of: "answer", frame: 1, do: "cut", ms: 0 }, {
        of: "write",
        frame: 2,
        do: "malformed",
        ms: 0,
      }],
      [{ ...client, transport: "rpc" }],
    ),
  },
  {
    what: "an event whose frame the network lost alone may be a job's last start",
    program: program(
      [
        call({ ...enqueue, name: "flaky", then: "follow", pause: 0 }, { wait: true }),
        call({ do: "stats" }, { after: 3_000, wait: true }),
      ],
      [{ of: "event", frame: 3, do: "malformed", ms: 0 }],
    ),
  },
  {
    what: "a job over HTTP may end before the start that a broken stream has lost is told",
    program: program(
      [
        call({ ...enqueue, name: "flaky", then: "follow", pause: 0 }, { wait: true }),
        call({ do: "stats" }, { after: 3_000, wait: true }),
      ],
      [{ of: "stream", frame: 3, do: "cut", ms: 0 }],
      [{ ...client, transport: "sse" }],
    ),
  },
  {
    what: "the second start of a job whose node died is told by a node that did not begin it",
    program: {
      ...program(
        [
          call({ ...enqueue, name: "work" }, { wait: true }),
          call({ do: "follow", pick: 0 }, { client: 2, wait: true }),
          { after: 10, node: 0, restart: 600_000 },
        ],
        [],
        [client, client, client],
      ),
      nodes: 3,
    },
  },
  {
    what: "the start after a retry is told to those who connect while the job runs again",
    program: program(
      [
        call({ ...enqueue, name: "flaky" }),
        { after: 8, node: 0, restart: 0 },
        call({ do: "follow", pick: 0 }, { after: 33, client: 1, wait: true }),
        { after: 14, node: 0, restart: 0 },
      ],
      [],
      [client, client],
    ),
  },
  {
    what: "a server whose last answer came late is asked later whether it is there",
    program: program(
      [
        call({ do: "connect" }, { wait: true }),
        call({ do: "getRun", pick: 0 }, { after: 9_500 }),
        { after: 3_000, pause: true },
      ],
      [{ of: "answer", frame: 2, do: "delay", ms: 2_000 }],
    ),
  },
  {
    what: "a late answer over HTTP does not take back the state that a later read found",
    program: {
      ...program(
        [
          call({ ...enqueue, name: "nobody", then: "waitJob" }, { wait: true }),
          call({ do: "waitJob", pick: 0 }, { after: 20 }),
          call({ do: "cancel", pick: 0 }),
          { after: 1_500, pause: true },
        ],
        [],
        [{ ...client, transport: "rpc" }],
      ),
      seed: 12,
      latency: [0, 200],
    },
  },
  {
    what: "a read over HTTP beside a watch is not one that was tried again",
    program: program(
      [
        call({ do: "watch", pick: 0 }),
        call({ do: "getRun", pick: 0 }, { after: 2 }),
        { after: 300, pause: true },
      ],
      [],
      [{ ...client, transport: "sse" }],
    ),
  },
  {
    what: "a start that another node began is told behind the retry that came before it",
    program: {
      ...program(
        [
          call({ do: "subscribe", channel: "jobs", pick: 0 }, { wait: true }),
          call({ ...enqueue, name: "flaky", then: "follow" }, { wait: true }),
          { after: 0, node: 0, restart: 0 },
          { after: 300, pause: true },
        ],
        [],
        [{ ...client, isBalanced: true }, client],
      ),
      nodes: 2,
      latency: [1, 5],
    },
  },
  {
    what: "a new token that was refused is not sent again with the next attempt",
    program: program(
      [
        call({ do: "connect" }, { wait: true }),
        call({ do: "connect" }, { wait: true }),
      ],
      [],
      [{ ...client, hasFreshTokens: true, wrongTokens: [1] }],
    ),
  },
  {
    what: "the gap of a full buffer begins with the first event that was dropped",
    program: program(
      [
        call({ do: "subscribe", channel: "jobs", pick: 0, slow: 3_000, buffer: 2 }, { wait: true }),
        call(enqueue, { wait: true }),
        { after: 12, cutAll: "cut" },
        call({ ...enqueue, name: "work" }, { after: 2_700 }),
        { after: 20_000, pause: true },
      ],
      [],
      [{ ...client, backoff: { base: 100, cap: 300 } }],
    ),
  },
  {
    what: "a channel that is left before the client knows that it is in it need not be told",
    program: {
      ...program(
        [
          call({ ...enqueue, name: "nobody" }, { wait: true }),
          call({ do: "waitRun", pick: 0 }),
          call({ do: "follow", pick: 0, take: 1 }),
          { after: 0, cutAll: "cut" },
          { after: 4_000, pause: true },
        ],
        [
          { of: "left", frame: 1, do: "drop", ms: 5 },
          { of: "answer", frame: 3, do: "cut", ms: 5 },
        ],
        [{ ...client, timeout: 2_000, hasOwnToken: true, httpRetries: 0 }, client],
      ),
      seed: 850_037,
      latency: [0, 200],
    },
  },
  {
    what: "events that arrive before a client is in all its channels again come after the gap",
    program: program(
      [
        call({ ...start, name: "steady" }, { client: 1, wait: true }),
        call({ do: "watch", pick: 0 }),
        { after: 10, pause: true },
        { after: 0, cutAll: "cut" },
        { after: 5_300, pause: true },
      ],
      [{ of: "joined", frame: 3, do: "drop", ms: 5 }],
      [{ ...client, hasOwnToken: true }, client],
    ),
  },
  {
    what: "attempts of a job after its client was closed are missing from nothing",
    program: program([
      call({ ...enqueue, name: "fails", then: "follow", pause: 0 }),
      call({ do: "close", drain: false }, { after: 10 }),
    ]),
  },
  {
    what: "a refusal over HTTP that arrives torn is no reason for another token",
    program: program(
      [
        call({ do: "subscribe", channel: "jobs", pick: 0 }, { wait: true }),
        { after: 0, expire: true },
        call({ do: "publish", name: "go" }),
        { after: 300, pause: true },
      ],
      [{ of: "answer", frame: 3, do: "malformed", ms: 5 }],
      [{ ...client, transport: "sse", hasFreshTokens: true }],
    ),
  },
  {
    what: "an event of somebody else's job lets an enqueue go on that waits for its turn",
    program: program(
      [
        call({ do: "subscribe", channel: "jobs", pick: 0 }, { wait: true }),
        { after: 1_100, pause: true },
        call({ do: "enqueueMany", name: "noop", count: 60, window: 64 }),
        call({ ...enqueue, name: "work" }, { client: 1 }),
        { after: 300, pause: true },
      ],
      [],
      [client, client],
    ),
  },
  {
    what: "a client that has used all its tokens begins again with the first",
    program: program(
      [
        call({ do: "waitRun", pick: 0 }),
        { after: 0, expire: true },
        call({ do: "follow", pick: 0 }, { after: 5, times: 20 }),
      ],
      [],
      [{ ...client, transport: "sse", hasFreshTokens: true }],
    ),
  },
  {
    what: "a new token that is refused is not replaced after a fallback to JSON either",
    program: {
      ...program(
        [
          call({ do: "connect" }, { wait: true }),
          { after: 0, expire: true },
          { after: 0, node: 0, restart: 0 },
          { after: 411, pause: true },
          { after: 0, cutAll: "cut" },
          { after: 300, pause: true },
        ],
        [],
        [{
          ...client,
          maxQueue: 1,
          hasFreshTokens: true,
          hasHooks: true,
          format: "msgpack",
          wrongTokens: [2],
        }],
      ),
      seed: 419_448,
      latency: [1, 5],
    },
  },
];
