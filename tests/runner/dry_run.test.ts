import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

test("--dry-run prints the steps and needs no server", async () => {
  const { code, out } = await runnerCli(
    ["recipes/order-smoke.yaml", "--dry-run", "--var", "order_id=ORD-1"],
    { env: { DISPATCH_URL: "ws://127.0.0.1:1/dwp" } },
  );
  assert.equal(code, 0);
  assert.match(out, /\n {2}order_id = "ORD-1"\n {2}1\. enqueue send-email → email\n/);
  assert.match(out, /input: {"order_id":"ORD-1"}/);
});

test("--dry-run forgets a variable that a conditional or repeated step sets", async () => {
  const recipe = `
name: Sets
matrix: { n: [1, 2] }
vars: { a: 1, b: 1, c: 1 }
steps:
  - set: { a: 2 }
    if: matrix.n == 1
  - for_each: [3, 4]
    set: { b: "\${{ item }}" }
  - id: jobs
    for_each: ["\${{ vars.c }}", 2]
    enqueue: noop
    payload: { a: "\${{ vars.a }}", b: ["\${{ vars.b }}"], c: "\${{ vars.c }}" }
  - parallel:
      - log: \${{ vars.c }}
always:
  - log: \${{ vars.c }}
`;
  await withFiles({ "r.yaml": recipe }, async (directory) => {
    const { code, out, err } = await runnerCli([join(directory, "r.yaml"), "--dry-run"]);
    assert.equal(code, 0, err);
    const second = out.slice(out.indexOf('Sets {"n":2}'));
    assert.equal(
      second.slice(second.indexOf("  1.")),
      `  1. set a  if matrix.n == 1
       set: {"a":2}
  2. set b  for each of [3,4]
       set: {"b":"\${{ item }}"}
  3. enqueue noop → jobs  for each of [1,2]
       payload: {"a":"\${{ vars.a }}","b":["\${{ vars.b }}"],"c":1}
  4. parallel, 1 step
    4.1. log 1
  always:
    1. log 1
`,
    );
  });
});

test("--dry-run does not know the steps of a TypeScript recipe", async () => {
  const { code, out } = await runnerCli(["tests/runner/shop.recipe.ts", "--dry-run"]);
  assert.equal(code, 0);
  assert.match(out, /^ {2}\(the steps of a TypeScript recipe are known when it runs\)$/m);
});

const PLANNED = `
name: Planned
vars: { n: 3, job: noop }
steps:
  - id: j
    enqueue: \${{ vars.job }}
    queue: q-\${{ vars.n }}
    within: \${{ vars.n }}s
  - set: { n: 4 }
  - enqueue: noop
    payload: { n: "\${{ vars.n }}", id: "\${{ j.job_id }}" }
  - set: { n: "\${{ j.priority }}" }
  - log: \${{ vars.n }}
  - get: { job: "job_\${{ vars.job }}" }
  - use: used.yaml
    inputs: { who: "\${{ vars.job }}" }
  - assert: vars.n == 3
`;
const USED = "inputs: { who: { type: text } }\nsteps:\n  - log: hi \${{ inputs.who }}\n";

test("--dry-run evaluates what is known at each step", async () => {
  await withFiles({ "r.yaml": PLANNED, "used.yaml": USED }, async (directory) => {
    const { code, out, err } = await runnerCli([join(directory, "r.yaml"), "--dry-run"]);
    assert.equal(code, 0, err);
    assert.equal(
      out.slice(out.indexOf("  1.")),
      `  1. enqueue noop → j
       queue: "q-3"
       within: 3s
  2. set n
       set: {"n":4}
  3. enqueue noop
       payload: {"n":4,"id":"\${{ j.job_id }}"}
  4. set n
       set: {"n":"\${{ j.priority }}"}
  5. log \${{ vars.n }}
  6. get job_noop
  7. use used.yaml
       inputs: {"who":"noop"}
       1. log hi noop
  8. assert vars.n == 3
`,
    );
  });
});
