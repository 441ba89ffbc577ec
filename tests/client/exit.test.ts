import assert from "node:assert/strict";
import { test } from "node:test";
import { createFaultProxy } from "../../testing/mod.ts";
import { type ChildResult, runScript } from "../helpers/child.ts";
import { startServer } from "../helpers/server.ts";

function exited({ code, output }: ChildResult, said: string[]): void {
  assert.equal(code, 0, `it ${code === null ? "did not exit" : "failed"}: ${output}`);
  assert.deepEqual(output.trim().split("\n"), [...said, "done"]);
}

const WITH_SERVER: Record<string, string[]> = {
  "a close": [],
  "a close with subscriptions and waiters": [],
  "loops with a signal that would time out later": ["TimeoutError"],
  "a close with a blocked lane": [],
  "await using with a blocked lane": [],
  "a close with an idle lane": [],
  "a refused connection": ["ConnectionError", "ConnectionError"],
  "a bad token": ["AuthError", "AuthError"],
};

for (const [what, said] of Object.entries(WITH_SERVER)) {
  test(`the process exits after ${what}`, async () => {
    await using server = await startServer();
    exited(await runScript("exit_script", [what, server.url]), said);
  });
}

const WITH_SILENT_PEER: Record<string, string[]> = {
  "a peer that never answers": ["TimeoutError"],
  "a close while connecting to a silent peer": ["ConnectionError"],
};

for (const [what, said] of Object.entries(WITH_SILENT_PEER)) {
  test(`the process exits after ${what}`, async () => {
    await using proxy = await createFaultProxy({ target: "ws://127.0.0.1:9/dwp" });
    await proxy.silence();
    exited(await runScript("exit_script", [what, proxy.url]), said);
  });
}

for (const what of ["a close while reconnecting", "giving up"]) {
  test(`the process exits after ${what}`, async () => {
    await using server = await startServer();
    await using proxy = await createFaultProxy({ target: server.url });
    const connected = Promise.withResolvers<void>();
    const result = runScript("exit_script", [what, proxy.url], 15_000, connected.resolve);
    await Promise.race([connected.promise, result]);
    // Now the server goes away.
    await proxy.refuse();
    proxy.cut();
    exited(await result, ["connected"]);
  });
}
