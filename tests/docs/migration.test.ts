import { deepEqual, ok } from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Dispatch } from "../../mod.ts";
import { read, readJson, ROOT } from "../project/sources.ts";

const PAGE = await read("docs/migration.md");
const { exports } = await readJson<{ exports: Record<string, string> }>("package.json");

declare global {
  var logged: ((...values: unknown[]) => void) | undefined;
}

/** The TypeScript examples of the page, with their line numbers. */
function blocks(): { code: string; line: number }[] {
  return Array.from(PAGE.matchAll(/^```ts\n([\s\S]*?)^```$/gm), (block) => ({
    code: block[1]!,
    line: PAGE.slice(0, block.index).split("\n").length + 1,
  }));
}

/** The cells of every row of every table. */
function rows(): string[][] {
  return PAGE.split("\n")
    .filter((line) => line.startsWith("|") && !line.startsWith("| -"))
    .map((line) => line.slice(1, -1).split("|").map((cell) => cell.trim()));
}

/** Runs a block and returns the lines it logs. */
async function run(code: string): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "dispatch-docs-"));
  const lines: string[] = [];
  globalThis.logged = (...values) => lines.push(values.join(" "));
  try {
    const file = join(folder, "block.ts");
    await writeFile(
      file,
      code
        .replaceAll(/"@dispatch\/sdk(\/\w+)?"/g, (_, below: string = "") => {
          const path = exports[`.${below}`]!;
          return JSON.stringify(pathToFileURL(join(ROOT, path)).href);
        })
        .replaceAll("console.log(", "globalThis.logged("),
    );
    await import(pathToFileURL(file).href);
  } finally {
    globalThis.logged = undefined;
    await rm(folder, { recursive: true, force: true });
  }
  return lines;
}

for (const { code, line } of blocks()) {
  test(`the example at line ${line} logs what its comments say`, async () => {
    const expected = Array.from(
      code.matchAll(/console\.log\(.*\); \/\/ (.+)$/gm),
      ([, text]) => text,
    );
    deepEqual(await run(code), expected);
  });
}

test("every example logs something", () => {
  ok(blocks().length >= 8);
  for (const { code, line } of blocks()) {
    ok(/console\.log\(.*\); \/\/ ./.test(code), `line ${line}`);
  }
});

test("every call, option and error of the other clients has a row", () => {
  const cells = rows().flatMap((row) => row.slice(0, -1)).join("\n");
  const missing = [
    // Python
    "pip install dispatch-sdk",
    "from dispatch import Dispatch",
    "from dispatch.errors import",
    "async with Dispatch(",
    "await client.connect()",
    "await client.close()",
    ..."url= token= format= reconnect= max_retries= timeout=30.0".split(" "),
    ..."enqueue( queue= priority= get_job( cancel_job( start_workflow( get_workflow(".split(" "),
    ..."workflow_timeline( publish_event( subscribe( watch( unsubscribe( stats(".split(" "),
    ..."AuthError ConnectionError TimeoutError DispatchError e.code".split(" "),
    // TypeScript
    "npm install @xraph/dispatch",
    ..."`url` `token` `format` `reconnect` `maxRetries` `client.close()`".split(" "),
    ..."getJob( cancelJob( startWorkflow( getWorkflow( workflowTimeline( publishEvent(".split(" "),
    // Go
    "go get github.com/xraph/dispatch",
    ..."DialContext( WithToken( WithFormat( WithLogger( WithReconnect( Close(".split(" "),
    ..."Enqueue( WithQueue( WithPriority( GetJob( CancelJob( StartWorkflow( GetWorkflow(".split(
      " ",
    ),
    ..."PublishEvent( Subscribe( Unsubscribe( Watch( Stats(".split(" "),
  ].filter((name) => !cells.includes(name));
  deepEqual(missing, []);
});

test("every call that the tables name exists", () => {
  const client = new Dispatch({ url: "ws://127.0.0.1/dwp", token: "t" });
  const own = {
    client,
    job: client.job("job_1"),
    run: client.run("wfrun_1"),
  } as unknown as Record<string, Record<string, unknown>>;
  // The last two columns name this client's calls.
  const calls = rows().flatMap((row) => [
    ...row.slice(-2).join(" ").matchAll(/`(?:await )?(client|job|run)\.(\w+)\(/g),
  ]);
  ok(calls.length >= 20, String(calls.length));
  for (const [call, object, name] of calls) {
    ok(typeof own[object!]![name!] === "function", call);
  }
});
