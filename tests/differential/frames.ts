import fc from "fast-check";
import type { Message } from "./sequence.ts";
import { json, maybe, mostly, objectOf } from "./values.ts";

const quoted = (...texts: readonly string[]): string[] => texts.map((text) => JSON.stringify(text));

const BAD_IDS = [
  ...[
    "",
    "nope",
    "job_",
    "_",
    "job_x",
    "JOB_01h455vb4pex5vsknk084sn02q",
    "01h455vb4pex5vsknk084sn02q",
  ],
  ...[
    "job_01H455VB4PEX5VSKNK084SN02Q",
    "job_81h455vb4pex5vsknk084sn02q",
    "job_01h455vb4pex5vsknk084sn02",
  ],
  ...[
    "job_01h455vb4pex5vsknk084sn02qq",
    "job_01h455vb4pex5vsknk084sn02u",
    "job__01h455vb4pex5vsknk084sn02q",
  ],
  ...[
    "j-b_01h455vb4pex5vsknk084sn02q",
    "evt_01h455vb4pex5vsknk084sn02q",
    " job_01h455vb4pex5vsknk084sn02q",
  ],
  ...["job_00000000000000000000000000", "wfrun_", "wfrun_nope", "ä_01h455vb4pex5vsknk084sn02q"],
];
const jobId = mostly(...quoted("<<job:0>>", "<<job:1>>", "<<job:2>>", "<<job:0>>", "<<run:0>>"));
const runId = mostly(...quoted("<<run:0>>", "<<run:1>>", "<<run:2>>", "<<run:0>>", "<<job:0>>"));
const badId = fc.constantFrom(...quoted(...BAD_IDS));

const CHANNELS = [
  ...["jobs", "workflows", "firehose", "job:<<job:0>>", "workflow:<<run:0>>", "queue:default"],
  ...["queue:unread", "queue:ä", "job:nope", "workflow:x:y"],
];
const BAD_CHANNELS = [
  ...[
    "",
    "nope",
    "Jobs",
    "jobs ",
    " jobs",
    "job:",
    ":x",
    ":",
    "::",
    "cron:x",
    "run:<<run:0>>",
    "Job:x",
  ],
  ...[
    "jobs:x",
    "firehose:x",
    "*",
    "job:*",
    "queue",
    "a:b:c",
    "\u0000",
    "ä:x",
    "<<long:300>>",
    "\u2028:x",
  ],
];
const channel = fc.oneof(
  { weight: 3, arbitrary: mostly(...quoted(...CHANNELS)) },
  { weight: 1, arbitrary: fc.constantFrom(...quoted(...BAD_CHANNELS)) },
);

const queue = maybe(
  mostly(...quoted("default", "email", "slow", "images", "unread", "", "ä/ö")),
  2,
);
const priority = maybe(mostly("0", "1", "5", "-5"), 2);

/**
 * An object that every Go type with optional fields takes. The workload does not say what some jobs
 * and workflows decode their input into.
 */
const anyObject = objectOf(
  { a: maybe(fc.constantFrom("1", "null", '"x"', "[1]", '{"b":[]}'), 1) },
  0,
);

const anyJob = objectOf({
  name: mostly(...quoted("noop", "noop", "noop", "nobody-knows", "", "ä\u2028<")),
  payload: maybe(json),
  queue,
  priority,
});
const knownJob = fc.oneof(
  fc.constantFrom(
    `{"name":"send-email","payload":{"to":"a@b.example","subject":"x"}}`,
    `{"name":"send-email","payload":{"to":"a@b.example"},"queue":"email"}`,
    `{"name":"sleep","payload":{"ms":5}}`,
    `{"name":"sleep","payload":{"ms":0},"queue":"slow"}`,
    `{"name":"sleep","payload":{"ms":-1}}`,
    `{"name":"sleep","payload":{}}`,
  ),
  objectOf({ name: fc.constant('"process-image"'), payload: anyObject, queue, priority }, 0),
);
/** Jobs that are tried four times. */
const failingJob = fc.oneof(
  fc.constantFrom(
    `{"name":"flaky","payload":{"key":"<<key>>"}}`,
    `{"name":"flaky","payload":{"key":1}}`,
    `{"name":"sleep","payload":{"ms":1.5}}`,
    `{"name":"sleep","payload":{"ms":"5"}}`,
  ),
  objectOf({ name: fc.constant('"always-fails"'), payload: anyObject }, 0),
  objectOf({ name: fc.constant('"send-email"'), payload: maybe(json) }),
);

const anyStart = fc.oneof(
  objectOf({
    name: mostly(
      ...quoted("order-pipeline", "batch-process", "nobody-knows", "", 'Parallel"\u2028'),
    ),
    input: maybe(json),
  }),
  objectOf({
    name: fc.constantFrom(...quoted("failing", "parallel", "process-item")),
    input: anyObject,
  }, 0),
);
const knownStart = fc.constantFrom(
  `{"name":"order-pipeline","input":{"order_id":"1","items":["a","b"]}}`,
  `{"name":"order-pipeline","input":{"order_id":"","items":[]}}`,
  `{"name":"order-pipeline","input":{"order_id":"1","items":null} }`,
  `{"name":"order-pipeline","input":{"order_id":1}}`,
  `{"name":"order-pipeline","input":{"order_id":"1","items":["a",1]}}`,
  `{"name":"order-pipeline","input":"{\\"order_id\\":\\"1\\"}"}`,
  `{"name":"failing","input":{"a":1}}`,
  `{"name":"sleeper","input":{"ms":5}}`,
  `{"name":"sleeper","input":{"ms":0}}`,
  `{"name":"sleeper","input":{"ms":"5"}}`,
  `{"name":"sleeper"}`,
  `{"name":"parallel","input":{ "a":\t2 }}`,
  `{"name":"process-item","input":{"item_id":"x"}}`,
  `{"name":"batch-process","input":{"item_ids":["x"]}}`,
  `{"name":"batch-process","input":{"item_ids":["x","y"]}}`,
  `{"name":"batch-process","input":{"item_ids":[]}}`,
  `{"name":"batch-process","input":{"item_ids":"x"}}`,
);

/** A method's name, with data for it. */
type Call = readonly [method: string, data: string | undefined];

function call(method: string, data: fc.Arbitrary<string>): fc.Arbitrary<Call> {
  const anyData = fc.oneof(
    { weight: 24, arbitrary: data },
    { weight: 1, arbitrary: json },
  );
  return maybe(anyData, 24).map((text): Call => [method, text]);
}

const UNKNOWN_METHODS = [
  ...["job.list", "workflow.cancel", "workflow.replay", "cron.list", "dlq.list", "dlq.replay"],
  ...[
    "federation.enqueue",
    "federation.event",
    "federation.heartbeat",
    "federation.x",
    "auth",
    "ping",
  ],
  ...[
    "nope",
    "job.",
    "job.nope",
    "workflow.x",
    "dlq.x",
    "cron.x",
    "STATS",
    "stats ",
    "ä",
    "job",
    "\u2028<",
  ],
];
const eventName = mostly(...quoted("paid", "<<key>>", "", "ä😀", "a/b"));

/** Calls that read. */
export const reads: fc.Arbitrary<Call> = fc.oneof(
  { weight: 4, arbitrary: call("job.get", objectOf({ job_id: fc.oneof(jobId, jobId, badId) })) },
  {
    weight: 3,
    arbitrary: call("workflow.get", objectOf({ run_id: fc.oneof(runId, runId, badId) })),
  },
  {
    weight: 3,
    arbitrary: call("workflow.timeline", objectOf({ run_id: fc.oneof(runId, runId, badId) })),
  },
  { weight: 1, arbitrary: call("stats", objectOf({})) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(...UNKNOWN_METHODS), maybe(json, 2)),
  },
);

/** Calls that write, and that may be made at the same time on several connections. */
export const creations: fc.Arbitrary<Call> = fc.oneof(
  { weight: 6, arbitrary: call("job.enqueue", anyJob) },
  { weight: 4, arbitrary: call("job.enqueue", knownJob) },
  { weight: 2, arbitrary: call("job.enqueue", failingJob) },
  { weight: 3, arbitrary: call("workflow.start", anyStart) },
  { weight: 4, arbitrary: call("workflow.start", knownStart) },
  {
    weight: 2,
    arbitrary: call("workflow.event", objectOf({ name: eventName, payload: maybe(json) })),
  },
);

const cancels = call("job.cancel", objectOf({ job_id: fc.oneof(jobId, jobId, badId) }));

/** Calls that change what a connection receives. */
const subscriptions: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 5,
    arbitrary: call("subscribe", objectOf({ channel, credits: maybe(mostly("5"), 0.3) })),
  },
  {
    weight: 4,
    arbitrary: fc.constantFrom("jobs", "workflows", "firehose").map((channel): Call => [
      "subscribe",
      `{"channel":"${channel}"}`,
    ]),
  },
  { weight: 2, arbitrary: call("unsubscribe", objectOf({ channel })) },
);

const IDS = ["1", "", "ä😀", "a b", "<&>\u2028", "\u0000", "<<long:300>>", "fence", "\\"];
const TIMES = [
  ...["2026-11-24T08:00:00Z", "2026-11-24T08:00:00.123456789Z", "2026-11-24T08:00:00.120Z"],
  ...["2026-11-24T08:00:00+01:00", "2026-11-24T08:00:00-23:59", "0001-01-01T00:00:00Z"],
  ...[
    "2026-11-24T08:00:00z",
    "2026-11-24t08:00:00Z",
    "2026-11-24 08:00:00Z",
    "2026-11-24T08:00:00",
  ],
  ...[
    "2026-02-30T08:00:00Z",
    "2026-11-24T24:00:00Z",
    "2026-11-24T08:00:60Z",
    "2026-11-24",
    "now",
    "",
  ],
  ...[
    "2026-11-24T08:00:00+01:60",
    "2026-11-24T08:00:00-23:60",
    "2026-11-24T08:00:00+24:01",
    "2026-11-24T08:00:00+24:00",
    "2026-11-24T08:00:00,5Z",
    "2026-11-24T08:00:00.Z",
    "9999-12-31T23:59:59Z",
  ],
  ...[
    "2026-11-24T8:00:00Z",
    "2026-11-24T08:00:00+0100",
    "12026-11-24T08:00:00Z",
    "2024-02-29T08:00:00Z",
  ],
  ...["2026-11-24T08:00:00.1234567891Z", "2026-11-24T08:00:00+00:00", "2026-11-24T08:00:00-00:00"],
];
const time = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...quoted(...TIMES.slice(0, 2))) },
  { weight: 1, arbitrary: fc.constantFrom(...quoted(...TIMES)) },
  { weight: 1, arbitrary: json },
);

/** The text of a frame for a call. */
function frame(calls: fc.Arbitrary<Call>, plain = 4): fc.Arbitrary<string> {
  const plainFrame = calls.map(([method, data]) =>
    `{"id":"1","type":"request","method":${JSON.stringify(method)}${
      data === undefined ? "" : `,"data":${data}`
    }}`
  );
  const oddFrame = calls.chain(([method, data]) =>
    objectOf({
      id: maybe(mostly(...quoted(...IDS))),
      type: maybe(
        mostly(...quoted("request", "request", "request", "response", "event", "nope", "error")),
      ),
      method: maybe(mostly(JSON.stringify(method)), 20),
      data: fc.constant(data),
      ts: maybe(time, 1),
      correl_id: maybe(mostly('"1"'), 0.1),
      credits: maybe(mostly("0", "-1"), 0.1),
      token: maybe(mostly('"nope"', '"readonly"'), 0.1),
      app_id: maybe(mostly('"app2"'), 0.1),
      channel: maybe(mostly('"jobs"'), 0.1),
      error: maybe(mostly('{"code":1,"message":"x"}', '{"code":"x"}', '{"details":1}'), 0.1),
    })
  );
  return fc.oneof({ weight: plain, arbitrary: plainFrame }, { weight: 1, arbitrary: oddFrame });
}

/** Frames that have no method. */
const special = fc.oneof(
  objectOf({
    id: maybe(mostly(...quoted(...IDS))),
    type: mostly('"ping"', '"ping"', '"pong"', '"PING"'),
    ts: maybe(time, 2),
    credits: maybe(mostly("5"), 0.1),
    data: maybe(json, 0.1),
  }),
  objectOf({
    id: maybe(mostly('"1"')),
    type: maybe(mostly('"request"')),
    credits: mostly("1", "1000", "0", "-5", "1.0", '"5"'),
    method: maybe(mostly('"stats"', '"nope"'), 0.1),
  }),
  objectOf({ id: maybe(mostly('"1"')), type: maybe(mostly('"request"')), data: maybe(json, 1) }),
);

const PIECES = [
  ...[
    '"',
    "\\",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "0",
    "-",
    "e",
    ".",
    "x",
    "\u0000",
    "\n",
    "\u00a0",
    "ä",
  ],
  ...["\ufeff", "tru", "null", "\\u12", '"a":1', "😀", "\u2028", "//", "'", "NaN", "+1", "01"],
];
const START =
  `{"id":"1","type":"request","method":"stats","data":{"a":[1,true,null,"x\\n\\u00e4"]},"credits":0}`;

/** Texts that are no frames, most of them by one mistake. */
export const malformed: fc.Arbitrary<string> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.oneof(
      fc.constantFrom(
        "",
        " ",
        "hello",
        "{}{}",
        "{}x",
        "{",
        "\ufeff{}",
        "undefined",
        '"a',
        "[1,]",
        "tru",
        "-",
      ),
      json,
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      at: fc.nat(START.length),
      remove: fc.constantFrom(0, 0, 1, 3, 1000),
      insert: fc.oneof(fc.constant(""), fc.constantFrom(...PIECES)),
    }).map(({ at, remove, insert }) => START.slice(0, at) + insert + START.slice(at + remove)),
  },
);

/** Bytes that are sent as a binary message, not all of them UTF-8. */
const bytes = fc.oneof(
  frame(reads).filter((text) => !text.includes("<<")).map((
    text,
  ) => [...new TextEncoder().encode(text)]),
  fc.array(fc.constantFrom(0, 0x22, 0x7b, 0x7d, 0x80, 0xc3, 0xe2, 0xf0, 0xff, 0x81), {
    maxLength: 4,
  })
    .map((
      some,
    ) => [...new TextEncoder().encode('{"id":"'), ...some, ...new TextEncoder().encode('"}')]),
  fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 8 }),
);

const text = (arbitrary: fc.Arbitrary<string>): fc.Arbitrary<Message> =>
  arbitrary.map((text) => ({ text }));

/** Credits that overflow a Go server's count, so that the connection receives no more events. */
const OVERFLOW = /"credit[s\u017f]"\s*:\s*9223372036854775807/i;

/**
 * Messages that may be sent at the same time on several connections. Whether a worker's events are
 * published before or after the credits overflow would be open, so none of these lets them.
 */
export const independent: fc.Arbitrary<Message> = text(
  fc.oneof(
    { weight: 6, arbitrary: frame(creations) },
    { weight: 1, arbitrary: special },
    { weight: 1, arbitrary: malformed },
  ).filter((text) => !OVERFLOW.test(text)),
);

/**
 * Messages that are sent one right after the other. Those that create come last: whether an event is
 * published before or after a change of subscriptions would otherwise be open.
 */
export const burst: fc.Arbitrary<readonly Message[]> = fc.tuple(
  fc.array(
    fc.oneof(
      { weight: 5, arbitrary: text(frame(reads)) },
      { weight: 6, arbitrary: text(frame(subscriptions)) },
      { weight: 1, arbitrary: text(frame(cancels)) },
      { weight: 2, arbitrary: text(special) },
      { weight: 2, arbitrary: text(malformed) },
      { weight: 1, arbitrary: bytes.map((bytes) => ({ bytes })) },
    ),
    { maxLength: 4 },
  ),
  fc.array(independent, { maxLength: 3 }),
).map(([first, last]) => [...first, ...last]).filter((messages) => messages.length > 0);

/** The text of a frame for RPC. */
export const rpcFrame: fc.Arbitrary<string> = fc.oneof(
  { weight: 8, arbitrary: frame(fc.oneof(reads, creations, subscriptions, cancels)) },
  { weight: 1, arbitrary: special },
  { weight: 1, arbitrary: malformed },
);
