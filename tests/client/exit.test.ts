import assert from "node:assert/strict";
import { test } from "node:test";
import { createFaultProxy } from "../../testing/mod.ts";
import { type ChildResult, runScript } from "../helpers/child.ts";
import { eventually } from "../helpers/eventually.ts";
import { startServer } from "../helpers/server.ts";

function exited({ code, output }: ChildResult, said: string[]): void {
  assert.equal(code, 0, `it ${code === null ? "did not end by itself" : "failed"}: ${output}`);
  assert.deepEqual(output.trim().split("\n"), [...said, "done"]);
}

const WITH_SERVER: Record<string, string[]> = {
  "a close": [],
  "a close with subscriptions and waiters": [],
  "a close with a lane that is blocked": [],
  "await using with a lane that is blocked": [],
  "a close with a lane that is idle": [],
  "a connection that is refused": ["ConnectionError", "ConnectionError"],
  "a bad token": ["AuthError", "AuthError"],
};

for (const [what, said] of Object.entries(WITH_SERVER)) {
  test(`the process ends after ${what}`, async () => {
    await using server = await startServer();
    exited(await runScript("exit_script", [what, server.url]), said);
  });
}

const WITH_SILENT_PEER: Record<string, string[]> = {
  "a peer that never answers": ["TimeoutError"],
  "a close while a peer does not answer": ["ConnectionError"],
};

for (const [what, said] of Object.entries(WITH_SILENT_PEER)) {
  test(`the process ends after ${what}`, async () => {
    await using proxy = await createFaultProxy({ target: "ws://127.0.0.1:9/dwp" });
    await proxy.silence();
    exited(await runScript("exit_script", [what, proxy.url]), said);
  });
}

for (const what of ["a close while reconnecting", "giving up"]) {
  test(`the process ends after ${what}`, async () => {
    await using server = await startServer();
    await using proxy = await createFaultProxy({ target: server.url });
    const result = runScript("exit_script", [what, proxy.url]);
    // The answer to auth has gone through; from then on nobody is there.
    await eventually(() => (proxy.connections[0]?.frames.toClient ?? 0) > 0, 15_000);
    await proxy.refuse();
    proxy.cut();
    exited(await result, ["connected"]);
  });
}
