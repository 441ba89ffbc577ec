import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AuthError,
  type CallOptions,
  Dispatch,
  DispatchError,
  type DispatchOptions,
  DispatchRpc,
  DispatchSse,
  type EnqueueManyOptions,
  type EnqueueOptions,
  type SubscribeOptions,
} from "../../mod.ts";
import { createScriptedServer } from "../../testing/mod.ts";
import { CALLS, REQUEST_CALLS } from "../helpers/calls.ts";
import { hasCode } from "../helpers/has_code.ts";
import { within } from "../helpers/eventually.ts";
import { JOB_ID, methodsOf, serve } from "../helpers/scripts.ts";

// These are the mistakes of JavaScript that no compiler sees.
// deno-lint-ignore no-explicit-any
type Wrong = any;

const address = { url: "ws://127.0.0.1:9/dwp", token: "t" };

/** What a message says of a wrong value of each option that every client has. */
const EVERY_CLIENT: [Wrong, RegExp][] = [
  [{ timeout: "1s" }, /'timeout' must be a number of at least 0, not '1s'/],
  [{ timeout: "100" }, /'timeout' must be .*, not '100'/],
  [{ timeout: NaN }, /'timeout' must be .*, not NaN/],
  [{ timeout: -1 }, /'timeout' must be .*, not -1/],
  [{ timeout: null }, /'timeout' must be .*, not null/],
  [{ maxRetries: -1 }, /'maxRetries' must be a number of at least 0, not -1/],
  [{ maxRetries: "many" }, /'maxRetries'/],
  [{ max_retries: 3 }, /there is no option 'max_retries'; did you mean 'maxRetries'\?/],
  [{ retries: 3 }, /there is no option 'retries'; did you mean 'maxRetries'\?/],
  [{ maxRetry: 3 }, /did you mean 'maxRetries'\?/],
  [{ timeOut: 3 }, /did you mean 'timeout'\?/],
  [{ timout: 3 }, /did you mean 'timeout'\?/],
  [{ colour: "red" }, /there is no option 'colour'; there are url, token, timeout, maxRetries/],
  [{ token: undefined }, /'token' must be a function or a string that is not empty$/],
  [{ token: 123456 }, /'token' must be [^1]*$/],
  [{ token: "" }, /'token' must be a function or a string that is not empty$/],
  [{ url: undefined }, /'url' must be a ws\(s\) or http\(s\) URL/],
  [{ url: "localhost:8080" }, /'url' must be .*, not 'localhost:8080'/],
  [{ url: "ws://" }, /'url' must be/],
  [{ url: "ftp://user:password@example.com" }, /'url' must be [^@]*, not 'example.com'$/],
  [{ hooks: "log" }, /'hooks' must be an object, not 'log'/],
  [{ hooks: null }, /'hooks' must be an object, not null/],
  [{ hooks: [] }, /'hooks' must be an object, not \[\]/],
  [{ hooks: { request: 5 } }, /'request' must be a function, not 5/],
  [
    { hooks: { reqest: () => {} } },
    /'hooks' must be an object: there is no hook 'reqest'; did you mean 'request'\?/,
  ],
  [{ hooks: { onRequest: () => {} } }, /did you mean 'request'\?/],
  [{ constructor: 5 }, /there is no option 'constructor'/],
  [{ toString: () => "" }, /there is no option 'toString'/],
  [{ hasOwnProperty: 5 }, /there is no option 'hasOwnProperty'/],
  [JSON.parse('{ "__proto__": { "timeout": 5 } }'), /there is no option '__proto__'/],
  [{ clock: 5 }, /'clock' must be an object, not 5/],
  [{ clock: {} }, /'clock' must be an object with the methods now, setTimeout, clearTimeout$/],
  [{ clock: { now: () => 0 } }, /'clock' must be an object with the methods/],
  [{ random: 0.5 }, /'random' must be a function, not 0.5/],
];

const DISPATCH: [Wrong, RegExp][] = [
  ...EVERY_CLIENT,
  [{ format: "xml" }, /'format' must be 'json' or 'msgpack', not 'xml'/],
  [{ format: {} }, /'format' must be .*, not an object/],
  [{ format: ["json"] }, /'format' must be .*, not \['json'\]/],
  [{ format: Symbol("json") }, /'format' must be .*, not a symbol/],
  [{ format: Object.create(null) }, /'format' must be .*, not an object/],
  [{ reconnect: "no" }, /'reconnect' must be a boolean, not 'no'/],
  [{ backoff: 100 }, /'backoff' must be an object, not 100/],
  [{ backoff: { base: "1s" } }, /'base' must be a number of at least 0, not '1s'/],
  [{ backoff: { cap: NaN } }, /'cap' must be/],
  [{ backoff: null }, /'backoff' must be an object, not null/],
  [{ backoff: [100] }, /'backoff' must be an object, not \[100\]/],
  [{ backoff: { min: 1 } }, /there is no option 'min'/],
  [{ connectTimeout: 0 }, /'connectTimeout' must be a number of at least 1, not 0/],
  [{ pingInterval: NaN }, /'pingInterval' must be a number of at least 0, not NaN/],
  [{ ping_interval: 1 }, /did you mean 'pingInterval'\?/],
  [{ pingTimeout: 0 }, /'pingTimeout' must be/],
  [{ maxQueue: 0 }, /'maxQueue' must be a number of at least 1, not 0/],
  [{ credits: -5 }, /'credits' must be a whole number of at least 1, not -5/],
  [{ credits: 1.5 }, /'credits' must be a whole number of at least 1, not 1.5/],
  [{ webSocket: "ws" }, /'webSocket' must be a function, not 'ws'/],
  [{ signal: "stop" }, /'signal' must be an object, not 'stop'/],
  [{ signal: new AbortController() }, /'signal' must be an object with the methods addEv/],
];

const clients: [string, (options: Wrong) => unknown, [Wrong, RegExp][]][] = [
  ["Dispatch", (options) => new Dispatch(options), DISPATCH],
  ["DispatchRpc", (options) => new DispatchRpc(options), [
    ...EVERY_CLIENT,
    [{ fetch: "curl" }, /'fetch' must be a function, not 'curl'/],
    [{ pingInterval: 5 }, /there is no option 'pingInterval'/],
  ]],
  ["DispatchSse", (options) => new DispatchSse(options), EVERY_CLIENT],
];

for (const [name, create, cases] of clients) {
  test(`${name} refuses wrong options with the option's name and what is allowed`, () => {
    for (const [options, message] of cases) {
      assert.throws(() => create({ ...address, ...options }), (error) => {
        assert(error instanceof DispatchError, String(error));
        assert.equal(error.code, "bad_options");
        assert.match(error.message, /^Cannot create client: /);
        assert.match(error.message, message);
        return true;
      });
    }
    for (const nothing of [undefined, {}, null]) {
      assert.throws(() => create(nothing), hasCode("bad_options", /'url' must be/));
    }
  });

  test(`${name} accepts options that are undefined or at a bound`, () => {
    const unset = Object.fromEntries(
      ["timeout", "maxRetries", "hooks", "clock", "random", "other"].map((key) => [key, undefined]),
    );
    create({ ...address, ...unset });
    create({ ...address, url: new URL("https://example.com/dwp"), timeout: 0, maxRetries: 0 });
    create({ ...address, token: () => "t", timeout: Infinity, maxRetries: Infinity });
  });
}

test("connect rejects wrong options", async () => {
  const wrong = { ...address, max_retries: 3 } as Wrong as DispatchOptions;
  for (const each of [Dispatch, DispatchRpc, DispatchSse]) {
    await assert.rejects(each.connect(wrong), hasCode("bad_options", /did you mean 'maxRetries'/));
  }
  const client = new Dispatch(address);
  await assert.rejects(
    client.connect({ timeout: 5 } as Wrong),
    hasCode("bad_options", /'timeout'/),
  );
  await assert.rejects(client.close({ drian: true } as Wrong), hasCode("bad_options", /'drain'/));
  await assert.rejects(
    client.close(true as Wrong),
    hasCode("bad_options", /must be an object, not/),
  );
  await client.close();
});

/** What is no object of options: the milliseconds or the signal itself, and the like. */
const NOT_OPTIONS: [Wrong, RegExp][] = [
  [30_000, /: 'options' must be an object, not 30000$/],
  ["30s", /: 'options' must be an object, not '30s'$/],
  [null, /: 'options' must be an object, not null$/],
  [[5], /: 'options' must be an object, not \[5\]$/],
  [new AbortController().signal, /: there is no option '.*'; there are signal/],
  [Object.create({ colour: "red" }), /: there is no option 'colour'; there are signal/],
];

/** Calls that take no `timeout`. */
const WITHOUT_TIMEOUT = /^(connect|subscribe|watch|reading a subscription|.*\.events)$/;

for (const [name, call] of Object.entries(CALLS)) {
  test(`${name} refuses wrong options before anything is sent`, async () => {
    await using server = await createScriptedServer(serve);
    await using client = await Dispatch.connect({ url: server.url, token: "t" });
    const wrong: [Wrong, RegExp][] = [
      [{ signal: 5 }, /: 'signal' must be an object, not 5$/],
      [{ signal: {} }, /: 'signal' must be an object with the methods addEventListener, /],
      // The example of `enqueue` adds its own options to these.
      ...(name === "enqueue" ? [] : NOT_OPTIONS),
      [{ timeOut: 5 }, /: there is no option 'timeOut'; /],
      [{ timeout: "1s" }, WITHOUT_TIMEOUT.test(name) ? /'timeout'; there are/ : /, not '1s'$/],
    ];
    for (const [options, message] of wrong) {
      await assert.rejects(
        within((async () => await call(client, options as CallOptions))(), name),
        hasCode("bad_options", message),
      );
    }
    assert.deepEqual(methodsOf(server.peers[0]), ["auth"]);
  });
}

test("calls over HTTP refuse wrong options before anything is sent", async () => {
  const unreachable: typeof fetch = () => Promise.reject(new Error("sent"));
  using client = new DispatchRpc({ ...address, fetch: unreachable });
  for (const { send, what } of Object.values(REQUEST_CALLS)) {
    await assert.rejects(
      send(client, { timeout: -1 }),
      hasCode("bad_options", new RegExp(`^Cannot ${what}: 'timeout' must be .*, not -1$`)),
    );
    await assert.rejects(
      send(client, { retry: "always" as Wrong }),
      hasCode("bad_options", /'retry'/),
    );
  }
});

test("enqueue refuses wrong options", async () => {
  using client = new DispatchRpc(address);
  const wrong: [Wrong, RegExp][] = [
    ...NOT_OPTIONS,
    [{ priority: NaN }, /'priority' must be a whole number, not NaN/],
    [{ priority: "high" }, /'priority' must be a whole number, not 'high'/],
    [{ priority: 1.5 }, /'priority'/],
    [{ priority: Infinity }, /'priority'/],
    [{ priority: 1e300 }, /'priority'/],
    [{ prio: 1 }, /did you mean 'priority'\?/],
    [{ queue: 5 }, /'queue' must be a string/],
    [{ retry: true }, /'retry' must be 'unknown' or 'not-sent', not true/],
    [{ delay: 5 }, /there is no option 'delay'; there are .*queue, priority/],
  ];
  for (const [options, message] of wrong) {
    await assert.rejects(
      client.enqueue("noop", {}, options as EnqueueOptions),
      hasCode("bad_options", message),
    );
  }
});

test("enqueueMany refuses wrong options", async () => {
  await using client = new Dispatch(address);
  await assert.rejects(
    client.enqueueMany("noop", [1], { progress: () => {} } as Wrong),
    hasCode("bad_options", /there is no option 'progress'; did you mean 'onProgress'\?/),
  );
  for (const [options, message] of NOT_OPTIONS) {
    await assert.rejects(
      client.enqueueMany("noop", [1], options),
      hasCode("bad_options", message),
    );
  }
  for (const options of [{ window: 0 }, { window: NaN }, { window: "64" }, { onProgress: true }]) {
    const [name] = Object.keys(options);
    await assert.rejects(
      client.enqueueMany("noop", [1], options as Wrong as EnqueueManyOptions),
      hasCode("bad_options", new RegExp(`^Cannot enqueue 'noop': '${name}' must be `)),
    );
  }
});

test("enqueueMany refuses payloads that are not iterable, and a string", async () => {
  await using client = new Dispatch(address);
  for (const payloads of [undefined, null, 5, true, "abc", "", {}, () => [], Symbol("a")]) {
    await assert.rejects(
      client.enqueueMany("noop", payloads as Wrong),
      hasCode("bad_options", /^Cannot enqueue 'noop': 'payloads' must be an iterable object$/),
      typeof payloads,
    );
  }
  for (const none of [[], new Set(), new Uint8Array()]) {
    assert.deepEqual(await client.enqueueMany("noop", none), []);
  }
});

test("subscribe refuses wrong options", async () => {
  await using client = new Dispatch(address);
  const wrong: [Wrong, RegExp][] = [
    [{ buffer: 0 }, /'buffer' must be a number of at least 1, not 0/],
    [{ buffer: NaN }, /'buffer'/],
    [
      { overflow: "drop" },
      /'overflow' must be .*'drop-oldest', 'drop-newest' or 'error', not 'drop'/,
    ],
    [{ bufer: 5 }, /did you mean 'buffer'\?/],
  ];
  for (const [options, message] of wrong) {
    const subscribe = () => client.subscribe("jobs", options as SubscribeOptions);
    assert.throws(subscribe, hasCode("bad_options", message));
  }
});

test("names and ids must be strings that are not empty", async () => {
  await using server = await createScriptedServer(serve);
  await using client = await Dispatch.connect({ url: server.url, token: "t" });
  using rpc = new DispatchRpc(address);
  const calls: [string, (value: Wrong) => unknown][] = [
    ["enqueue", (value) => client.enqueue(value)],
    ["enqueue", (value) => rpc.enqueue(value)],
    ["enqueueMany", (value) => client.enqueueMany(value, [])],
    ["startWorkflow", (value) => client.startWorkflow(value)],
    ["publishEvent", (value) => client.publishEvent(value)],
    ["getJob", (value) => client.getJob(value)],
    ["getJob", (value) => rpc.getJob(value)],
    ["cancelJob", (value) => client.cancelJob(value)],
    ["getWorkflow", (value) => client.getWorkflow(value)],
    ["workflowTimeline", (value) => client.workflowTimeline(value)],
    ["call", (value) => client.call(value)],
    ["call", (value) => rpc.call(value)],
    ["job", (value) => client.job(value)],
    ["run", (value) => rpc.run(value)],
    ["watch", (value) => client.watch(value)],
    // Servers refuse an empty channel.
    ["subscribe", (value) => client.subscribe(value || undefined)],
  ];
  for (const [name, call] of calls) {
    for (const value of ["", undefined, null, 5, {}]) {
      await assert.rejects(
        within((async () => await call(value))(), name),
        hasCode("bad_options", /^Cannot .*: '(name|id)' must be a string that is not empty/),
        `${name} with ${String(value)}`,
      );
    }
  }
  assert.deepEqual(methodsOf(server.peers[0]), ["auth"]);
});

for (const each of [Dispatch, DispatchRpc]) {
  test(`${each.name} rejects with AuthError if the token function fails`, async () => {
    await using server = await createScriptedServer(serve);
    const problem = new Error("no token today");
    const fails: [() => Wrong, RegExp][] = [
      [() => Promise.reject(problem), /Cannot get token: .*no token today$/],
      [() => {
        throw problem;
      }, /no token today/],
      [() => undefined, /Cannot get token: undefined$/],
      [() => 5, /Cannot get token: 5$/],
      [() => Promise.reject(undefined), /undefined/],
    ];
    for (const [token, message] of fails) {
      using stack = new DisposableStack();
      const client = new each({ url: server.url, token });
      stack.defer(() => void client.close());
      await assert.rejects(within(client.getJob(JOB_ID), "the call"), (error) => {
        assert(error instanceof AuthError, String(error));
        assert.match(error.message, message);
        if (/today/.test(error.message)) assert.equal(rootOf(error), problem);
        return true;
      });
    }
    assert.equal(server.peers.length, 0);
  });
}

function rootOf(error: Error): unknown {
  return error.cause instanceof AuthError ? rootOf(error.cause) : error.cause;
}
