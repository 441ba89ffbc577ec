// Values from a server that are nested too deep for the runner's stack.
import assert from "node:assert/strict";
import { test } from "node:test";
import { isTooDeep, toCel, TOO_DEEP } from "../../runner/expression/convert.ts";
import { startServer } from "../helpers/server.ts";
import { Dispatch } from "../../mod.ts";
import { join } from "node:path";
import { runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

/** Lists in lists. */
function nested(levels: number): unknown {
  return JSON.parse("[".repeat(levels) + "]".repeat(levels));
}

/** Runs recipes about a job with a payload of so many levels. */
async function run(levels: number): Promise<Record<string, { code: number; out: string }>> {
  await using server = await startServer();
  await using client = await Dispatch.connect({ url: server.url, token: "demo-token" });
  const { job_id } = await client.enqueue("nobody-runs-this", nested(levels));
  const get = `steps: [{ id: j, get: { job: ${job_id} } }, { `;
  const module = new URL("../../runner/mod.ts", import.meta.url).href;
  const recipes = {
    "field.yaml": `${get}assert: 'j.queue == "default"' }]`,
    "size.yaml": `${get}assert: size(j.payload) == 1 }]`,
    "script.ts": `import { recipe } from "${module}";
export default recipe("R", async (t) => {
  const { payload } = await t.step("get", { get: { job: "${job_id}" } });
  t.expect(payload).toHaveLength(1);
});`,
  };
  const results: Record<string, { code: number; out: string }> = {};
  await withFiles(recipes, async (folder) => {
    for (const name of Object.keys(recipes)) {
      const args = [join(folder, name), "--url", server.url, "--token", "demo-token"];
      results[name] = await runnerCli(args);
    }
  });
  return results;
}

test("evaluates values of up to 1,000 levels", async () => {
  for (const { code, out } of Object.values(await run(900))) assert.equal(code, 0, out);
});

test("a value with more levels fails the step that uses it, with the reason", async () => {
  for (const { code, out } of Object.values(await run(9_000))) {
    assert.equal(code, 1, out);
    assert(out.includes(TOO_DEEP), out);
    assert(!/stack|did not run/.test(out), out);
  }
});

test("counts the levels of lists and maps", () => {
  assert.equal(isTooDeep(nested(1_001)), false);
  assert.equal(isTooDeep(nested(1_002)), true);
  const circular: unknown[] = [];
  circular.push(circular);
  assert.equal(isTooDeep(circular), false);
  assert.doesNotThrow(() => toCel(nested(1_001)));
  assert.throws(() => toCel(nested(1_002)), { name: "RangeError", message: TOO_DEEP });
  const text = '{"a":'.repeat(5_000) + "1" + "}".repeat(5_000);
  assert.throws(() => toCel(JSON.parse(text)), { message: TOO_DEEP });
});
