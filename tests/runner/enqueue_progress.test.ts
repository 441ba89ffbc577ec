import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../../runtime/clock.ts";
import { connected } from "../helpers/server.ts";
import { Screen } from "../report/_screen.ts";
import { runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

test("a line on a terminal shows the progress, and goes away", async () => {
  await using it = await connected();
  const rows = Array.from({ length: 300 }, (_, i) => `{"n":${i}}\n`).join("");
  await withFiles({ "rows.jsonl": rows }, async (directory) => {
    const screen = new Screen();
    const words = ["enqueue", "noop", "--from", join(directory, "rows.jsonl"), "--wait"];
    const { code, out } = await runnerCli([...words, "--url", it.server.url], {
      clock: systemClock,
      terminal: true,
      onErr: (text) => screen.write(text),
    });
    assert.deepEqual([code, out], [0, "300 rows: 300 completed\n"]);
    assert.ok(screen.writes.some((text) => /[━─]{24} \d+\/300 {2}enqueued/.test(text)));
    assert.ok(screen.cursor);
    assert.deepEqual((await screen.all()).filter((line) => line !== ""), []);
  });
});
