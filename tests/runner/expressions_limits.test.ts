// The limits of what one expression may do, and that deadlines hold between expressions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { needsBreak, spend, takeBreak, withBudget } from "../../runner/expression/budget.ts";
import { checkRecipe } from "../../runner/mod.ts";
import { ends, firstFailure, runRecipe } from "./_recipe.ts";

const numbers = (length: number) => Array.from({ length }, (_, i) => i).join(",");
const NUMBERS = numbers(1_000);
const VARS = `vars: { l: [${NUMBERS}], s: text }\n`;
const TOO_MANY = /^the expression takes more than 10,000,000 steps: nest fewer macros/;

/**
 * An expression that takes most of the ten million steps in a few milliseconds, and then evaluates
 * another one: ten characters of a text count as a step, and texts are doubled here.
 */
function afterMostSteps(expression: string, text = "vars.s"): string {
  const doubled = Array.from({ length: 22 }, (_, i) => `cel.bind(t${i + 1}, t${i} + t${i}, `);
  return `cel.bind(t0, ${text}, ${doubled.join("")}cel.bind(done, t22 != "", ${expression}))` +
    ")".repeat(22);
}

test("stops an expression by its nested macros alone", async () => {
  const { code, events } = await runRecipe(
    `${VARS}steps:\n  - assert: vars.l.all(x, vars.l.all(y, vars.l.all(z, x + y + z >= 0)))\n`,
  );
  assert.match(firstFailure(events).message, TOO_MANY);
  assert.equal(code, 1);
});

test("an expression may take nearly ten million steps", async () => {
  const { code } = await runRecipe(`${VARS}steps:\n  - assert: ${afterMostSteps("done")}\n`);
  assert.equal(code, 0);
});

/** The expression in a step. */
const EXPRESSION = /(?:!|false \|\| |size\()?vars\.l\.\w+\(.*\)(?: == \[\])?/;

for (
  const [step, column] of [
    ["assert: vars.l.all(x, vars.l.all(y, vars.l.all(z, x + y + z >= 0)))", 13],
    ["assert: vars.l.exists(x, vars.l.exists(y, vars.l.exists_one(z, x + y + z < 0)))", 13],
    ["if: vars.l.filter(x, vars.l.all(y, vars.l.all(z, x + y + z >= 0))) == []\n    log: hello", 9],
    ["log: ${{ vars.l.map(x, vars.l.map(y, vars.l.map(z, z))) }}", 14],
    ["log: in ${{ size(vars.l.map(x, vars.l.map(y, vars.l.map(z, z)))) }} text", 17],
    ["expect: { 'vars.l.all(x, vars.l.all(y, vars.l == vars.l.map(z, z)))': true }", 16],
    ["assert: vars.l.all(x, vars.l.all(y, vars.l.map(z, z) + [x] != [y]))", 13],
    ["assert: vars.l.all(x, vars.l.all(y, y in vars.l || y in vars.l.map(z, z)))", 13],
    ["assert: '!vars.l.all(x, vars.l.all(y, now().getHours(\"Europe/Berlin\") >= 0))'", 14],
    ["assert: false || vars.l.all(x, vars.l.all(y, vars.l.all(z, x + y + z >= 0)))", 13],
  ] as const
) {
  test(`stops the expression of ${step.slice(0, 70)}`, async () => {
    const longer = step.replace(EXPRESSION, (expression) => afterMostSteps(expression));
    const { code, events } = await runRecipe(`${VARS}steps:\n  - ${longer}\n`);
    const { kind, message, place } = firstFailure(events);
    assert.match(message, TOO_MANY);
    assert.equal(place?.column, column);
    assert.deepEqual([code, ["assertion", "evaluation"].includes(kind)], [1, true]);
  });
}

test("stops the condition of a wait", async () => {
  const condition = afterMostSteps("vars.l.all(x, vars.l.all(y, vars.l.all(z, x + y + z >= 0)))");
  for (
    const wait of [
      `wait: job\n    until: \${{ ${condition} }}`,
      `wait: { channel: jobs, where: '${condition}' }`,
    ]
  ) {
    const { code, events } = await runRecipe(
      `${VARS}steps:\n  - id: job\n    enqueue: noop\n  - ${wait}\n`,
    );
    assert.match(firstFailure(events).message, TOO_MANY);
    assert.equal(code, 1);
  }
});

test("stops an expression that doubles a text again and again", async () => {
  const doubled = Array.from({ length: 40 }, (_, i) => `cel.bind(t${i + 1}, t${i} + t${i}, `).join(
    "",
  );
  const { events } = await runRecipe(
    `vars: { s: text }\nsteps:\n  - assert: cel.bind(t0, vars.s, ${doubled}size(t40) > 0${
      ")".repeat(41)
    }\n`,
  );
  assert.match(firstFailure(events).message, TOO_MANY);
});

test("two lists of a thousand items can be compared", async () => {
  const { code } = await runRecipe(
    `vars: { l: [${NUMBERS}] }\nsteps:\n  - assert: vars.l.all(x, vars.l.exists_one(y, x == y))\n`,
  );
  assert.equal(code, 0);
});

test("a constant expression that takes too long is an error before anything runs", async () => {
  const macros = `cel.bind(l, [${NUMBERS}], l.all(x, l.all(y, l.all(z, x + y + z >= 0))))`;
  const expression = afterMostSteps(macros, '"text"');
  const diagnostics = await checkRecipe("r.yaml", `steps:\n  - assert: ${expression}\n`);
  assert.deepEqual(diagnostics.map(({ code }) => code), ["always-fails"]);
  assert.match(diagnostics[0]!.label!, TOO_MANY);
});

test("many long expressions do not hold up the recipe's deadline", async () => {
  const vars = `vars: { l: [${NUMBERS}], k: [${numbers(200)}] }\n`;
  for (
    const step of [
      "assert: vars.k.all(x, vars.k.all(y, x + y >= 0))",
      "if: '!vars.k.all(x, vars.k.all(y, x + y >= 0))'\n    log: hello",
    ]
  ) {
    const { events, code } = await runRecipe(
      `timeout: 100ms\n${vars}steps:\n  - for_each: vars.l\n    ${step}\n`,
    );
    assert.match(firstFailure(events).message, /^not done when the recipe's time was over/, step);
    assert.ok(ends(events).length < 100, step);
    assert.equal(code, 1);
  }
  const conditions = Array.from(
    { length: 100 },
    () => "      - vars.k.all(x, vars.k.all(y, x + y >= 0))\n",
  );
  const { events } = await runRecipe(
    `timeout: 100ms\n${vars}steps:\n  - assert:\n${conditions.join("")}`,
  );
  assert.equal(firstFailure(events).kind, "deadline");
});

test("many events that do not match do not hold up the deadline of a wait", async () => {
  const { events } = await runRecipe(`vars: { l: [${numbers(300)}] }
steps:
  - id: jobs
    for_each: \${{ vars.l.filter(x, x < 30) }}
    enqueue: noop
  - wait: jobs
  - wait:
      channel: jobs
      where: vars.l.all(x, vars.l.all(y, x + y >= 0)) && false
    within: 100ms
`);
  const { kind, message } = firstFailure(events);
  assert.equal(kind, "deadline");
  assert.match(message, /^0 of 1 events arrived on `jobs` within /);
});

test("a budget counts the steps of all calls inside it, and lets timers fire", async () => {
  withBudget(() => {
    spend(6_000_000);
    assert.throws(() => withBudget(() => spend(6_000_000)), { name: "BudgetError" });
  });
  assert.equal(needsBreak(), true);
  let fired = false;
  setTimeout(() => void (fired = true), 0);
  await takeBreak();
  assert.deepEqual([fired, needsBreak()], [true, false]);
});
