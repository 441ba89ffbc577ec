import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { startServer } from "../helpers/server.ts";
import { runnerCli } from "./_cli.ts";
import { firstFailure, runRecipe, withFiles } from "./_recipe.ts";

const START = "steps:\n  - id: o\n    start: order-paymnet\n  - wait: o\n";

/** The recipe, with a name that is known only in a run. */
const computed = (name: string) => START.replace("order-paymnet", `\${{ "${name}" }}`);

test("a computed name of an unknown workflow of a server with an admin API is met with a suggestion", async () => {
  await using server = await startServer();
  const { code, events } = await runRecipe(computed("order-paymnet"), ["--url", server.url]);
  assert.equal(code, 3);
  const { message, lines, kind } = firstFailure(events);
  assert.match(message, /no workflow registered for "order-paymnet"$/);
  assert.deepEqual(lines, ["did you mean `order-payment`?"]);
  assert.equal(kind, "server");
  const other = await runRecipe(computed("x"), ["--url", server.url]);
  assert.match(firstFailure(other.events).lines[0]!, /^the server has batch-process, failing, /);
});

test("an unknown workflow of a server with an admin API is an error before anything is sent", async () => {
  await using server = await startServer();
  const text = START.replace("steps:\n", "steps:\n  - enqueue: noop\n");
  await withFiles({ "r.yaml": text }, async (directory) => {
    const recipe = join(directory, "r.yaml");
    for (const command of ["run", "check"]) {
      const { code, err } = await runnerCli([command, recipe, "--url", server.url]);
      assert.equal(code, 2);
      assert.match(err, /^error: the server has no workflow `order-paymnet`$/m);
      assert.match(err, /r\.yaml:4:12\n[^]*\^{13} did you mean `order-payment`\?$/m);
    }
    assert.deepEqual(server.store.jobs(), []);
  });
});

test("a server without an admin API is not checked, and neither are names that it has", async () => {
  const recipe = (name: string) => START.replace("order-paymnet", name);
  const check = async (text: string, url: string) =>
    await withFiles({ "r.yaml": text }, async (directory) => {
      return (await runnerCli(["check", directory, "--url", url])).code;
    });
  assert.equal(await check(START, "ws://127.0.0.1:1/dwp"), 0);
  await using server = await startServer();
  assert.equal(await check(recipe("order-payment"), server.url), 0);
  const asked: (string | undefined)[] = [];
  const bare = createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(404, { "content-type": "text/plain" }).end("404 page not found\n");
  });
  await new Promise<void>((resolve) => bare.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = bare.address() as AddressInfo;
    assert.equal(await check(START, `ws://127.0.0.1:${port}/dwp`), 0);
    assert.deepEqual(asked, ["/dispatch/v1/workflows"]);
    assert.equal(await check(computed("x"), `ws://127.0.0.1:${port}/dwp`), 0);
    assert.equal(asked.length, 1);
  } finally {
    bare.close();
  }
});

test("start says which workflow of the server may be meant", async () => {
  await using server = await startServer();
  const { code, err } = await runnerCli(["start", "order-paymnet", "--url", server.url]);
  assert.equal(code, 1);
  assert.match(
    err,
    /no workflow registered for "order-paymnet"\ndid you mean `order-payment`\?\n$/,
  );
});

test("a computed name of an unknown workflow is met with a suggestion on the embedded server", async () => {
  const { events } = await runRecipe(computed("order-paymnet"));
  assert.deepEqual(firstFailure(events).lines, ["did you mean `order-payment`?"]);
});

test("a wait says after three seconds without a change why that may be", async () => {
  const { events } = await runRecipe(`steps:
  - id: job
    enqueue: sleep
    payload: { ms: 8000 }
  - wait: job
    within: 5s
`);
  const progress = events.flatMap((event) => event.type === "step.progress" ? event.text : []);
  const hint =
    "running; likely cause: its handler is still running, or no worker has a handler for `sleep`";
  assert.equal(progress[0], "running");
  assert.ok(progress.includes(hint), progress.join("\n"));
});
