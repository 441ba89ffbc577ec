// Somebody sets the machine's clock while recipes run.
import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../helpers/fake_clock.ts";
import { ends, runRecipe } from "./_recipe.ts";

const HOUR = 3_600_000;
const RECIPE = `
steps:
  - log: set the clock
  - sleep: 10s
  - id: job
    enqueue: noop
  - id: waited
    wait: job
  - sleep: 1h
    within: 5s
    soft: true
  - assert: waited.waited_ms >= 0 && waited.waited_ms < 1000
`;

for (const [what, ms] of [["back", -HOUR], ["forward", HOUR]] as const) {
  test(`setting the clock ${what} changes no duration and no limit`, async () => {
    const clock = new FakeClock();
    let isSet = false;
    const { code, events, err } = await runRecipe(RECIPE, [], {
      clock,
      onOut: (text) => {
        if (isSet || !text.includes("set the clock")) return;
        isSet = true;
        clock.setWall(ms);
      },
    });
    assert.equal(code, 0, err + JSON.stringify(events.at(-2)));
    assert.ok(isSet);
    const steps = ends(events);
    const durations = steps.map(({ duration_ms }) => duration_ms);
    assert.ok(durations.every((ms) => Number.isInteger(ms) && ms >= 0), String(durations));
    assert.ok(durations[1]! >= 10_000 && durations[1]! < 11_000, String(durations));
    const late = steps.find(({ soft }) => soft)!;
    assert.equal(late.failure?.kind, "deadline");
    assert.ok(late.duration_ms >= 5_000 && late.duration_ms < 6_000, String(late.duration_ms));
    const last = events.at(-1);
    assert.ok(last?.type === "run.finished" && last.duration_ms >= 15_000);
    assert.ok(last.duration_ms < 30_000);
  });
}
