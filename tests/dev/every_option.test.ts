// Options of the wrong kind, given to every public function that takes options.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as dev from "../../dev/mod.ts";
import * as client from "../../mod.ts";
import * as runner from "../../runner/mod.ts";
import * as testing from "../../testing/mod.ts";

// These are the mistakes of JavaScript that no compiler sees.
// deno-lint-ignore no-explicit-any
type Wrong = any;

/** How each public function is called with options. */
const TAKES_OPTIONS: Record<string, (options: Wrong) => unknown> = {
  Dispatch: (options) => new client.Dispatch(options),
  DispatchRpc: (options) => new client.DispatchRpc(options),
  DispatchSse: (options) => new client.DispatchSse(options),
  DispatchAdmin: (options) => new client.DispatchAdmin(options),
  openTelemetryHooks: (options) => client.openTelemetryHooks({} as Wrong, options),
  createDevServer: (options) => dev.createDevServer(options),
  serve: (options) => dev.serve(options),
  createVirtualClock: (options) => dev.createVirtualClock(options),
  exponentialBackoff: (options) => dev.exponentialBackoff(options),
  defineJob: (options) => dev.defineJob("name", options, () => {}),
  defineWorkflow: (options) => dev.defineWorkflow("name", options, () => {}),
  defineCron: (options) => (dev.defineCron as Wrong)("name", "* * * * *", "job", options),
  createTestDispatch: (options) => testing.createTestDispatch(options),
  createFaultProxy: (options) => testing.createFaultProxy(options),
  createScriptedServer: (options) => testing.createScriptedServer(() => {}, options),
  createWorld: (options) => testing.createWorld(options),
  MockTransport: (options) => new (testing.MockTransport as Wrong)(options),
};

/** The other public functions and classes. */
const TAKES_NONE = new Set([
  ...["DispatchCalls", "fullJitter", "checkFault", "constantBackoff", "createStore"],
  ...["loadWorkload", "parseDuration", "parseFault", "referenceCrons", "referenceWorkload"],
  ...["seededFaults", "ConsoleReporter", "Expectations", "RecipeScript", "Source"],
  ...["checkRecipe", "recipe", "renderDiagnostic"],
]);

const WRONG: Wrong[] = [
  [],
  [5],
  5,
  "text",
  null,
  { constructor: 5 },
  { toString: 5 },
  JSON.parse('{ "__proto__": {} }'),
  { misspelt: 5 },
];

test("every public function with options refuses what is none with `bad_options`", async () => {
  for (const [name, call] of Object.entries(TAKES_OPTIONS)) {
    for (const options of WRONG) {
      await assert.rejects(
        (async () => await call(options))(),
        { code: "bad_options" },
        `${name}(${JSON.stringify(options)})`,
      );
    }
  }
});

test("no public function is forgotten", () => {
  const known = new Set([...Object.keys(TAKES_OPTIONS), ...TAKES_NONE]);
  const all = [client, dev, testing, runner].flatMap((entry) => Object.entries(entry));
  const forgotten = all.filter(([name, value]) =>
    typeof value === "function" && !(value.prototype instanceof Error) && !known.has(name)
  );
  assert.deepEqual(forgotten.map(([name]) => name), []);
});
