import assert from "node:assert/strict";
import { test } from "node:test";
import {
  constantBackoff,
  createDevServer,
  createVirtualClock,
  defineCron,
  defineJob,
  defineWorkflow,
  exponentialBackoff,
  loadWorkload,
  parseDuration,
  parseFault,
  serve,
  type Workflow,
} from "../../dev/mod.ts";
import {
  createFaultProxy,
  createScriptedServer,
  createTestDispatch,
  createWorld,
  MockTransport,
} from "../../testing/mod.ts";
import { Wire } from "./wire.ts";

// Callers may be plain JavaScript, or may have the values from a file.
// deno-lint-ignore no-explicit-any
type Any = any;

/** Checks that a call throws or rejects with `bad_options` and this message. */
async function refused(call: () => unknown, message: string | RegExp): Promise<void> {
  await assert.rejects(async () => await call(), { code: "bad_options", message });
}

const handler = () => {};

test("defineJob checks its name, options and handler", async () => {
  const job = (options: Any) => () => defineJob("mail", options, handler);
  const cannot = "Cannot define job 'mail': ";
  for (
    const [options, problem] of [
      [{ max_retries: 1 }, "there is no option 'max_retries'; did you mean 'maxRetries'?"],
      [{ retries: 1 }, "there is no option 'retries'; did you mean 'maxRetries'?"],
      [{ timeoutMs: 1 }, "there is no option 'timeoutMs'; did you mean 'timeout'?"],
      [{ maxRetries: -1 }, "option 'maxRetries' must be a whole number of at least 0, not -1"],
      [{ maxRetries: "3" }, "option 'maxRetries' must be a whole number of at least 0, not '3'"],
      [{ priority: NaN }, /option 'priority' must be a whole number .*, not NaN/],
      [{ priority: "high" }, /option 'priority' must be a whole number .*, not 'high'/],
      [{ queue: "" }, "option 'queue' must be a text that is not empty, not ''"],
      [{ timeout: "5 minutes" }, /option 'timeout' must be a duration: .*, not '5 minutes'/],
      [{ timeout: -1 }, /option 'timeout' must be a duration: .*, not -1/],
      [{ payload: { type: "object" } }, /option 'payload' must be a Standard Schema, .*an object/],
      [null, "the options must be an object, not null"],
      ["5m", "the options must be an object, not '5m'"],
    ] as const
  ) {
    await refused(job(options), typeof problem === "string" ? cannot + problem : problem);
  }
  await refused(
    () => defineJob("" as Any, handler),
    "Cannot define job: the name must be a text that is not empty, not ''",
  );
  await refused(() => defineJob(undefined as Any, handler), /the name must be .*, not missing/);
  await refused(
    () => defineJob("mail", {}, undefined as Any),
    "Cannot define job 'mail': the handler must be a function, not missing",
  );
  await refused(() => defineJob("mail", { queue: "a" } as Any), /the handler must be a function/);
  defineJob("mail", { timeout: 0, priority: -1, maxRetries: 0 }, handler);
});

test("defineWorkflow and defineCron check their name and options", async () => {
  const workflow = (options: Any) => () => defineWorkflow("order", options, handler);
  await refused(workflow({ versoin: 1 }), /there is no option 'versoin'; did you mean 'version'\?/);
  await refused(workflow({ version: 0 }), /'version' must be a whole number of at least 1, not 0/);
  await refused(workflow({ version: 1.5 }), /'version' must be a whole number/);
  await refused(workflow({ input: "x" }), /'input' must be a Standard Schema/);
  await refused(() => defineWorkflow("", handler), /^Cannot define workflow: the name must be/);
  const cron = (options: Any) => () => defineCron("daily", options);
  const valid = { schedule: "@daily", job: "report" };
  await refused(
    cron({ schedule: "@daily" }),
    /'job' must be a text that is not empty, not missing/,
  );
  await refused(
    cron({ job: "report" }),
    /'schedule' must be a text that is not empty, not missing/,
  );
  await refused(cron({ ...valid, timeZone: "UTC" }), /'timeZone'; did you mean 'timezone'\?/);
  await refused(
    cron({ ...valid, tz: "UTC" }),
    /there is no option 'tz'; the options are schedule, job/,
  );
  await refused(cron({ ...valid, payload: 1n }), /'payload' must be a value that JSON can hold/);
  await refused(cron({ ...valid, payload: handler }), /'payload' must be a value that JSON can/);
  await refused(cron(undefined), /the options must be an object, not undefined/);
});

const SERVER_OPTIONS: readonly (readonly [Any, string | RegExp])[] = [
  [{ prot: 1 }, "there is no option 'prot'; did you mean 'port'?"],
  [{ host: "::1" }, "there is no option 'host'; did you mean 'hostname'?"],
  [{ quirk: "none" }, "there is no option 'quirk'; did you mean 'quirks'?"],
  [{ port: 70000 }, "option 'port' must be a whole number from 0 to 65535, not 70000"],
  [{ port: -1 }, "option 'port' must be a whole number from 0 to 65535, not -1"],
  [{ port: "8787" }, "option 'port' must be a whole number from 0 to 65535, not '8787'"],
  [{ hostname: "" }, "option 'hostname' must be a text that is not empty, not ''"],
  [{ path: "dwp" }, `option 'path' must be a path such as "/dwp", not 'dwp'`],
  [{ path: "/dwp/" }, /option 'path' must be a path/],
  [{ path: "/dwp?a" }, /option 'path' must be a path/],
  [{ allowOrigins: "https://a.example" }, /option 'allowOrigins' must be a list of origins/],
  [
    { allowOrigins: ["a.example"] },
    `option 'allowOrigins' must be a list of origins such as "https://app.example.com", or "*", ` +
    "not ['a.example']",
  ],
  [{ allowOrigins: ["https://a.example/page"] }, /'allowOrigins' must be a list of origins/],
  [{ allowOrigins: ["https://*.example"] }, /'allowOrigins' must be a list of origins/],
  [{ store: {} }, "option 'store' must be a store made by createStore, not an object"],
  [{ quirks: "all" }, /option 'quirks' must be 'default', 'none', or an object .*, not 'all'/],
  [{ quirks: { "blocking-start": "off" } }, /option 'quirks' must be/],
  [{ clock: "fake" }, /option 'clock' must be 'virtual' or a clock, .*, not 'fake'/],
  [{ clock: { now: Date.now } }, /option 'clock' must be 'virtual' or a clock/],
  [{ random: 0.5 }, "option 'random' must be a function, not 0.5"],
  [{ log: console }, "option 'log' must be a function, not an object"],
  [{ faults: {} }, "option 'faults' must be a list of faults, not an object"],
  [{ seed: "1" }, /option 'seed' must be a number/],
  [{ listen: 0 }, "option 'listen' must be true or false, not 0"],
  [
    { jobs: [handler] },
    "option 'jobs' must be a list of definitions made by defineJob, not [a function]",
  ],
  [{ jobs: [defineWorkflow("w", handler)] }, /'jobs' must be a list of definitions made by/],
  [{ workflows: {} }, /'workflows' must be a list of definitions made by defineWorkflow/],
  [{ crons: [{ schedule: "@daily" }] }, /'crons' must be a list of definitions made by/],
  [
    { tokens: ["secret"] },
    `option 'tokens' must be an object such as { "my-token": { scopes: ["*"] } }`,
  ],
  [
    { tokens: { secret: { scope: ["*"] } } },
    "token 1: there is no option 'scope'; did you mean 'scopes'?",
  ],
  [
    { tokens: { secret: { scopes: "*" } } },
    "token 1: option 'scopes' must be a list of scopes, not '*'",
  ],
  [{ queues: "default" }, /option 'queues' must be a list of names, or an object of limits/],
  [{ queues: { a: -1 } }, /option 'queues' must be a list of names, or an object of limits/],
  [{ concurrency: 1.5 }, "option 'concurrency' must be a whole number of at least 0, not 1.5"],
  [{ backoff: 50 }, "option 'backoff' must be a function, not 50"],
];

test("createDevServer checks its options", async () => {
  for (const [options, problem] of SERVER_OPTIONS) {
    const message = typeof problem === "string" ? `Cannot start dev server: ${problem}` : problem;
    await refused(() => createDevServer(options), message);
  }
  await refused(() => createDevServer("8787" as Any), /the options must be an object, not '8787'/);
  await assert.rejects(createDevServer({ quirks: { "blocking-strat": false } as Any }), {
    code: "unknown_quirk",
    message: "Cannot switch quirk 'blocking-strat': no such quirk; did you mean 'blocking-start'?",
  });
  await assert.rejects(createDevServer({ faults: [5 as Any] }), { code: "bad_fault" });
});

test("a running server checks the arguments of its methods, and goes on", async () => {
  await using server = await createDevServer({ clock: "virtual" });
  await refused(
    () => server.reload({ job: [] } as Any),
    "Cannot reload workload: there is no option 'job'; did you mean 'jobs'?",
  );
  await refused(
    () => server.observe({ events: handler } as Any),
    "Cannot observe dev server: there is no option 'events'; did you mean 'event'?",
  );
  await assert.rejects(server.restart("soon"), { code: "bad_duration" });
  await assert.rejects(server.advance("soon"), { code: "bad_duration" });
  await assert.rejects(server.advance(null as Any), {
    code: "bad_duration",
    message: 'Cannot parse duration: null is not like "250ms", "5s" or "1h30m"',
  });
  await using wire = await Wire.connect(server.url);
  await wire.call("stats");
});

test("serve checks its options", async () => {
  const valid = { port: 0, signal: AbortSignal.abort(), print: () => {} };
  await serve(valid);
  for (
    const [options, problem] of [
      [{ hostname: "::1" }, "there is no option 'hostname'; did you mean 'host'?"],
      [{ allowOrigin: [] }, "there is no option 'allowOrigin'; did you mean 'allowOrigins'?"],
      [{ port: 65536 }, "option 'port' must be a whole number from 0 to 65535, not 65536"],
      [{ watch: "yes" }, "option 'watch' must be true or false, not 'yes'"],
      [{ file: 5 }, "option 'file' must be a text that is not empty, not 5"],
      [{ signal: undefined }, "option 'signal' must be an AbortSignal, not missing"],
      [{ print: undefined }, "option 'print' must be a function, not missing"],
    ] as const
  ) {
    await refused(
      () => serve({ ...valid, ...options as Any }),
      `Cannot start dev server: ${problem}`,
    );
  }
});

test("the other functions of the server check their arguments", async () => {
  await refused(() => createVirtualClock({ start: "noon" }), /'start' must be a date, not 'noon'/);
  await refused(() => createVirtualClock({ autoskip: 1 } as Any), /did you mean 'autoSkip'\?/);
  await refused(() => exponentialBackoff({ inital: 1 } as Any), /did you mean 'initial'\?/);
  await refused(() => exponentialBackoff({ max: NaN }), /'max' must be a number/);
  await refused(() => constantBackoff("1s" as Any), /the time must be a number of at least 0/);
  await refused(() => loadWorkload(undefined as Any), /the file must be a text/);
  assert.throws(() => parseFault(5 as Any), { code: "bad_fault", message: /5 is not a string/ });
  for (const value of [null, undefined, {}, true, 5n]) {
    assert.throws(() => parseDuration(value as Any), { code: "bad_duration" });
  }
});

test("the functions for tests check their options", async () => {
  const cannot = "Cannot create test environment: ";
  for (
    const [options, problem] of [
      [{ transprot: "memory" }, "there is no option 'transprot'; did you mean 'transport'?"],
      [{ transport: "tcp" }, "option 'transport' must be 'socket' or 'memory', not 'tcp'"],
      [{ token: 5 }, "option 'token' must be a text that is not empty, not 5"],
      [{ client: "x" }, "option 'client' must be an object of client options, not 'x'"],
      [{ port: 70000 }, "option 'port' must be a whole number from 0 to 65535, not 70000"],
    ] as const
  ) {
    await refused(() => createTestDispatch(options as Any), cannot + problem);
  }
  await refused(() => createTestDispatch({ listen: true } as Any), /there is no option 'listen'/);
  for (const target of ["localhost:1", "wss://a", 5, undefined]) {
    await refused(() => createFaultProxy({ target: target as Any }), /'target' must be a ws: or/);
  }
  for (
    const [options, problem] of [
      [null, "the options must be an object, not null"],
      [5, "the options must be an object, not 5"],
      [{}, "option 'seed' must be a number, not missing"],
      [{ seed: 1, nodes: "2" }, "option 'nodes' must be a whole number of at least 1, not '2'"],
      [{ seed: 1, nodes: 0 }, "option 'nodes' must be a whole number of at least 1, not 0"],
      [{ seed: 1, latency: 5 }, /'latency' must be two whole numbers of milliseconds, .*, not 5$/],
      [{ seed: 1, latency: [5, 1] }, /'latency' must be two whole numbers/],
      [{ seed: 1, latency: [1, 1.5] }, /'latency' must be two whole numbers/],
      [{ seed: 1, networkFaults: "drop" }, /'networkFaults' must be a function/],
      [{ seed: 1, observer: {} }, /'observer' must be a function/],
      [{ seed: 1, start: "noon" }, /'start' must be a time, such as/],
      [{ seed: 1, node: 2 }, "there is no option 'node'; did you mean 'nodes'?"],
      [{ seed: 1, port: 0 }, /there is no option 'port'/],
    ] as const
  ) {
    const message = typeof problem === "string" ? `Cannot create world: ${problem}` : problem;
    await refused(() => createWorld(options as Any), message);
  }
  await refused(() => createFaultProxy({ target: "ws://a", onConnect: handler } as Any), /'onConn/);
  await refused(() => createScriptedServer("x" as Any), /the script must be a function, not 'x'/);
  await refused(() => createScriptedServer(handler, { manuel: true } as Any), /'manual'\?/);
  await refused(() => new MockTransport({} as Any), /the server must be a server made by/);
});

test("the methods of a proxy and of a test environment check their arguments", async () => {
  await using server = await createDevServer();
  await using proxy = await createFaultProxy({ target: server.url });
  await using wire = await Wire.connect(proxy.url);
  await refused(() => proxy.retarget("localhost"), /the target must be a ws: or http: address/);
  const [connection] = proxy.connections;
  await refused(() => connection!.cut("rst" as Any), /must be 'fin' or 'reset', not 'rst'/);
  await refused(() => connection!.cutAfter({ frame: 1 } as Any), /did you mean 'frames'\?/);
  await refused(() => connection!.cutAfter({ bytes: -1 }), /'bytes' must be a whole number/);
  await refused(() => connection!.hold("up" as Any), /must be 'toServer' or 'toClient'/);
  await refused(() => connection!.delay("1s" as Any), /the delay must be a number/);
  await wire.call("stats");

  await using env = await createTestDispatch({ transport: "memory" });
  await refused(
    () => env.event("job.complete" as Any),
    "Cannot wait for event 'job.complete': the type must be 'job.completed' or another type, " +
      "not 'job.complete'",
  );
  await refused(() => env.published(undefined as Any), /the name must be a text/);
  await refused(
    () => env.completed(undefined as Any),
    "Cannot wait until a run or job is completed: undefined is not a run, a job or the id of one",
  );
  await refused(() => env.failed("1234"), /'1234' is not a run, a job or the id of one/);
});

test("a step that is called with wrong arguments fails its run with the reason", async () => {
  const calls: Record<string, [(wf: Any) => unknown, RegExp]> = {
    "step without a function": [(wf) => wf.step("a"), /function must be a function, not missing/],
    "step without a name": [(wf) => wf.step(handler), /the name must be a text/],
    "step with an unknown option": [
      (wf) => wf.step("a", handler, { compensation: handler }),
      /there is no option 'compensation'; did you mean 'compensate'\?/,
    ],
    "parallel with one function": [(wf) => wf.parallel("a", handler), /a list of functions/],
    "compensate without a function": [(wf) => wf.compensate("a"), /must be a function/],
    "sleep without a name": [(wf) => wf.sleep("5m"), /the duration must be a duration/],
    "waitForEvent without a timeout": [(wf) => wf.waitForEvent("a"), /the timeout must be a dur/],
    "waitForAll with one name": [(wf) => wf.waitForAll("ab", "1s"), /must be a list of names/],
    "waitForAny with one name": [(wf) => wf.waitForAny("ab", "1s"), /must be a list of names/],
    "waitForMatch without a condition": [
      (wf) => wf.waitForMatch("a", "1s"),
      /the condition must be a function/,
    ],
    "runChild without a name": [(wf) => wf.runChild(), /the name must be a text/],
    "spawnChild without a name": [(wf) => wf.spawnChild({}), /the name must be a text/],
    "fanOut without inputs": [(wf) => wf.fanOut("a"), /the inputs must be a list of inputs/],
  };
  await using env = await createTestDispatch({
    transport: "memory",
    workflows: Object.entries(calls).map(([name, [call]]) =>
      defineWorkflow(name, async (wf: Workflow) => void await call(wf))
    ),
  });
  for (const [name, [, message]] of Object.entries(calls)) {
    const { error } = await env.failed(await env.client.startWorkflow(name, {}));
    assert.match(error!, message, name);
  }
});

test("reports a backoff that does not return a time, and retries the job at once", async () => {
  for (const wait of [NaN, -1, Infinity, "1s"]) {
    const log: string[] = [];
    await using env = await createTestDispatch({
      transport: "memory",
      backoff: () => wait as number,
      log: (line) => log.push(line),
      jobs: [defineJob("bad", { maxRetries: 1 }, () => {
        throw new Error("no");
      })],
    });
    await env.failed(await env.client.enqueue("bad", {}));
    assert.deepEqual(log, [`the backoff after failure 1 is ${wait}: retrying at once`]);
  }
});
