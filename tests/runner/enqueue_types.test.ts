import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { DevServer } from "../../dev/mod.ts";
import { systemClock } from "../../runtime/clock.ts";
import { pathKind } from "../../runtime/file.ts";
import { startServer } from "../helpers/server.ts";
import { type CliResult, runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

/** Calls a function with a server, a file of rows, and the command that enqueues them. */
async function scene(
  name: string,
  text: string,
  use: (
    it: { server: DevServer; file: string; enqueue(args: string[]): Promise<CliResult> },
  ) => Promise<void>,
): Promise<void> {
  await withFiles({ [name]: text }, async (directory) => {
    await using server = await startServer();
    const file = join(directory, name);
    const words = ["enqueue", "noop", "--from", file, "--url", server.url, "--queue", "unread"];
    const enqueue = (args: string[]) => runnerCli([...words, ...args], { clock: systemClock });
    await use({ server, file, enqueue });
  });
}

const TYPES = ["--type", "amount=number", "--type=paid=boolean", "--type", "items=json"];

test("--type makes the cells of a CSV column numbers, booleans or JSON", async () => {
  const csv = 'id,amount,paid,items\n007,-1.5e2,TRUE,"[1, {}]"\n8, 20 ,false,null\n,,,\n';
  await scene("orders.csv", csv, async ({ server, enqueue }) => {
    assert.equal((await enqueue(TYPES)).code, 0);
    assert.deepEqual(server.store.jobs().map(({ payload }) => payload), [
      { id: "007", amount: -150, paid: true, items: [1, {}] },
      { id: "8", amount: 20, paid: false, items: null },
      { id: "" },
    ]);
    // The journal is about these types.
    const other = await enqueue(["--type", "amount=number"]);
    assert.equal(other.code, 2);
    assert.match(other.err, /or the file has changed since, or had other types; /);
    assert.equal((await enqueue(TYPES)).code, 0);
    assert.equal(server.store.jobs().length, 3);
  });
});

test("a cell of another type, and a wrong --type, are refused before anything is sent", async () => {
  const wrong: [string, string[], RegExp][] = [
    [
      "amount\n1\n007\n",
      TYPES.slice(0, 2),
      /CSV: column amount: '007' is not a number\n --> .*:3:1/,
    ],
    ['amount\n"1,000"\n', TYPES.slice(0, 2), /'1,000' is not a number\n --> .*:2:1/],
    ["amount\n9007199254740993\n", TYPES.slice(0, 2), /is too large for a number/],
    ["amount\n1e999\n", TYPES.slice(0, 2), /is too large for a number/],
    ["paid\nyes\n", [TYPES[2]!], /column paid: 'yes' is not a boolean\n/],
    ["items\n[1\n", TYPES.slice(3), /column items: '\[1' is not JSON\n/],
    ["paid\n", ["--type", "payd=boolean"], /^error: --type payd: .* did you mean `paid`\?\n/],
    [
      "paid\n",
      ["--type", "x=text"],
      /^error: --type x: the file has no such column; it has paid\n/,
    ],
    ...["paid", "=number", "paid=constructor", "paid="].map((value): [string, string[], RegExp] => [
      "paid\n1\n",
      ["--type", value],
      /^error: --type must be COLUMN=TYPE with the type text, number, boolean or json, not '/,
    ]),
  ];
  for (const [csv, args, reason] of wrong) {
    await scene("a.csv", csv, async ({ server, file, enqueue }) => {
      const { code, out, err } = await enqueue(args);
      assert.deepEqual([code, out], [2, ""], err);
      assert.match(err, reason);
      assert.equal(server.store.jobs().length, 0);
      assert.equal(await pathKind(`${file}.journal`), "none");
    });
  }
  const alone = await runnerCli(["enqueue", "x", "--type", "a=number"]);
  assert.match(alone.err, /^error: --type goes with --from\n/);
  await scene("a.jsonl", "{}\n", async ({ enqueue }) => {
    assert.match((await enqueue(TYPES)).err, /^error: --type goes with a \.csv file/);
  });
});
