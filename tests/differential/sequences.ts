import fc from "fast-check";
import { burst, independent, malformed, reads, rpcFrame } from "./frames.ts";
import type { HttpRequest, Message, Sequence, Step } from "./sequence.ts";
import { json, maybe, mostly, objectOf } from "./values.ts";

const auth = (data: string): Message => ({
  text: `{"id":"0","type":"request","method":"auth","data":${data}}`,
});

const oddAuth: fc.Arbitrary<Message> = fc.oneof(
  objectOf({
    id: maybe(mostly('"0"')),
    type: maybe(mostly('"request"', '"ping"', '"nope"')),
    method: maybe(mostly('"auth"'), 14),
    data: maybe(
      fc.oneof(
        objectOf({
          token: maybe(mostly('"demo-token"', '"nope"', '""', '"DEMO-TOKEN"', '" demo-token"')),
          format: maybe(mostly('"json"', '"xml"', '"JSON"', '""'), 2),
        }),
        json,
      ),
    ),
    token: maybe(mostly('"demo-token"', '"nope"'), 1),
    ts: maybe(mostly('"2026-11-24T08:00:00Z"', '"now"'), 1),
    credits: maybe(mostly("5"), 0.1),
  }).map((text) => ({ text })),
  malformed.map((text) => ({ text })),
  reads.map(([method]) => ({
    text: `{"id":"0","type":"request","method":${JSON.stringify(method)}}`,
  })),
  objectOf({ id: maybe(mostly('"0"')), type: mostly('"ping"') }).map((text) => ({ text })),
  fc.constantFrom(
    { bytes: [...new TextEncoder().encode('{"method":"auth","data":{"token":"demo-token"}}')] },
    { bytes: [0xff, 0x00] },
    auth('{"token":"demo-token","format":"msgpack"}'),
  ),
);

const opening: fc.Arbitrary<Message> = fc.oneof(
  { weight: 12, arbitrary: fc.constant(auth('{"token":"demo-token"}')) },
  { weight: 3, arbitrary: fc.constant(auth('{"token":"readonly"}')) },
  { weight: 3, arbitrary: fc.constant(auth('{"token":"other"}')) },
  { weight: 3, arbitrary: oddAuth },
);

const TYPES = [
  ...["application/json; charset=utf-8", "Application/JSON", "text/plain", "application/xml"],
  ...[
    "application/x-www-form-urlencoded",
    "application/msgpack",
    "multipart/form-data",
    "nope",
    "*/*",
  ],
];
const TOKENS = [
  "demo-token",
  "readonly",
  "other",
  "nope",
  "Bearer demo-token",
  "bearer demo-token",
];

/** Puts a token into the text of a frame. */
function withToken(frame: string, token: string | undefined): string {
  return token === undefined
    ? frame
    : frame.replace(/^\s*\{\s*("|$)/, (start, next) =>
      next === "" ? start : `{"token":${JSON.stringify(token)},"`);
}

const goodRpc: fc.Arbitrary<HttpRequest> = fc.record({
  frame: rpcFrame,
  token: fc.constantFrom("demo-token", "demo-token", "readonly", "other", undefined),
  authorization: fc.constantFrom("demo-token", "demo-token", ...TOKENS, undefined),
}).map(({ frame, token, authorization }) => ({
  method: "POST",
  path: "/dwp/rpc",
  type: "application/json",
  authorization,
  body: withToken(frame, token),
}));

const oddRpc: fc.Arbitrary<HttpRequest> = fc.record({
  method: fc.constantFrom("POST", "POST", "GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"),
  path: fc.constantFrom(
    "/dwp/rpc",
    "/dwp/rpc",
    "/dwp/rpc/",
    "/dwp/rpc?x=1",
    "/dwp/nope",
    "/dwp",
    "/dwp/",
    "/",
    "/rpc",
    "/DWP/rpc",
  ),
  type: fc.constantFrom("application/json", ...TYPES, undefined),
  authorization: fc.constantFrom("demo-token", ...TOKENS, undefined),
  body: fc.oneof(rpcFrame, malformed, fc.constant("")),
}).filter(({ method, path }) =>
  // A real server answers this, and then leaves the TCP connection open without reading from it: the
  // next request that `fetch` sends over it hangs.
  method !== "GET" || !/^\/dwp\/?$/.test(path)
).map(({ method, body, ...rest }) =>
  method === "GET" || method === "HEAD" ? { method, ...rest } : { method, ...rest, body }
);

const sse = fc.record({
  channel: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("jobs", "workflows", "firehose") },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        "job:<<job:0>>",
        "queue:default",
        "nope",
        "",
        ":",
        "job:",
        "cron:x",
      ),
    },
  ),
  token: fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom("demo-token", "readonly", "other") },
    { weight: 1, arbitrary: fc.constantFrom("nope", "", "Bearer demo-token") },
  ),
  leaves: fc.constantFrom("none", "none", "none", "none", "channel", "token", "doubled"),
}).map(({ channel, token, leaves }): string => {
  const pairs = [
    ...leaves === "channel" ? [] : [`channel=${encodeURIComponent(channel)}`],
    ...leaves === "token" ? [] : [`token=${encodeURIComponent(token)}`],
    ...leaves === "doubled" ? ["channel=nope", "token=nope"] : [],
  ];
  return pairs.join("&").replaceAll("%3C%3C", "<<").replaceAll("%3E%3E", ">>").replaceAll(
    "%3A",
    ":",
  );
});

const conn = fc.nat(2);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({ do: fc.constant("frames" as const), conn, messages: burst }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("together" as const),
      messages: fc.array(independent, { minLength: 2, maxLength: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("payment" as const), conn, payload: json }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel running" as const), conn }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("rpc" as const),
      request: fc.oneof({ weight: 3, arbitrary: goodRpc }, { weight: 1, arbitrary: oddRpc }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("sse" as const), query: sse }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("close" as const), conn }) },
);

/** Random sequences. */
export const sequences: fc.Arbitrary<Sequence> = fc.record({
  connections: fc.array(opening, { minLength: 1, maxLength: 3 }),
  steps: fc.array(step, { maxLength: 8, size: "max" }),
});
