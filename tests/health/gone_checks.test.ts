import { deepEqual, equal, match } from "node:assert/strict";
import { existsSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { recordedChecks } from "../../runner/health/recorded_checks.ts";
import { systemClock } from "../../runtime/clock.ts";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";
import { Receiver } from "./_receiver.ts";

/** A recipe that runs each second. */
const recipe = (name: string, passes: boolean, more = "") =>
  `name: ${name}\nschedule: { cron: "* * * * * *" }\nalert: { to: [ops${more}] }\n` +
  `tags: [core]\nsteps: [{ assert: "${passes}" }]\n`;

/** A directory with recipes that alert a receiver, and a schedule of them that is started and stopped. */
async function withSchedule(
  files: Record<string, string>,
  use: (
    directory: string,
    /** Runs a schedule until a line of its log contains a text, and returns the log. */
    runUntil: (text: string, ...args: string[]) => Promise<string[]>,
    receiver: Receiver,
  ) => Promise<void>,
): Promise<void> {
  await using receiver = await Receiver.start(200);
  await withFiles({
    ...files,
    "good.yaml": recipe("Good", true),
    "health.yml.txt": `targets: { ops: { webhook: { url: ${receiver.url} } } }\n`,
  }, async (directory) => {
    const settings = ["--health", join(directory, "health.yml.txt")];
    const history = ["--history", join(directory, "health.db")];
    await use(directory, async (text, ...args) => {
      const stop = new AbortController();
      const paths = args[0]?.startsWith("-") ?? true ? [directory] : [];
      const { out, code } = await runnerCli(
        ["schedule", ...paths, ...args, ...settings, ...history, "--log", "json"],
        {
          ...{ signal: stop.signal, clock: systemClock },
          onOut: (line) => void (line.includes(text) && stop.abort()),
        },
      );
      equal(code === 0 || code === 130, true, out);
      return out.trimEnd().split("\n").map((line) => JSON.parse(line).message);
    }, receiver);
  });
}

const DELIVERED = '"outcome":"delivered"';
const told = ({ received }: Receiver) =>
  received.map(({ body }) => JSON.parse(body)).map(({ type, recipe }) => `${type} ${recipe}`);
const openIncidents = async (directory: string) =>
  (await recordedChecks(join(directory, "health.db"), systemClock, () => true, 1))
    .filter(({ incident }) => incident).map(({ check }) => check.name);

test("the alert of a recipe that was renamed or deleted meanwhile is resolved once", async () => {
  for (const end of ["rename", "delete", "unschedule"] as const) {
    await withSchedule(
      { "bad.yaml": recipe("Bad", false) },
      async (directory, runUntil, receiver) => {
        await runUntil(DELIVERED);
        const file = join(directory, "bad.yaml");
        if (end === "delete") rmSync(file);
        else if (end === "rename") writeFileSync(file, recipe("Better", true));
        else writeFileSync(file, 'name: Bad\nsteps: [{ assert: "false" }]\n');
        const lines = await runUntil(DELIVERED);
        const over = lines.filter((line) => line.startsWith("RESOLVED"));
        equal(over.length, 1, lines.join("\n"));
        match(over[0]!, /^RESOLVED Bad is not scheduled any more; it had been failing since /);
        // Nothing is left to say for the third one.
        await runUntil("Good: passed");
        deepEqual(told(receiver), ["raised Bad", "resolved Bad"]);
        const [raised, resolved] = receiver.received.map(({ body }) => JSON.parse(body));
        deepEqual([resolved.incident, resolved.tags], [raised.incident, ["core"]]);
        deepEqual(await openIncidents(directory), []);
      },
    );
  }
});

test("a check that another schedule of the same history runs is not gone", async () => {
  const files = { "bad.yaml": recipe("Bad", false), "other.yaml": recipe("Other", true) };
  await withSchedule(files, async (directory, runUntil, receiver) => {
    await runUntil(DELIVERED);
    const other = join(directory, "other.yaml");
    await runUntil("Other: passed", other);
    await runUntil("Other: passed", "--grep", "Other");
    renameSync(join(directory, "bad.yaml"), join(directory, "bad.yaml.away"));
    await runUntil("Other: passed", other);
    await runUntil("Other: passed", "--grep", "Other");
    deepEqual(told(receiver), ["raised Bad"]);
    deepEqual(await openIncidents(directory), ["Bad"]);
    await runUntil(DELIVERED, "--grep", "/Other|Bad/", "--tag", "core");
    deepEqual(told(receiver), ["raised Bad", "resolved Bad"]);
  });
});

test("the alert of the last recipe is resolved before the schedule ends with 4", async () => {
  await using receiver = await Receiver.start(200);
  // Its URL is known from its name, because it has no path.
  const bad = recipe("Bad", false, `, "${receiver.url}"`);
  const settings = `targets: { ops: { webhook: { url: "${receiver.url}/ops" } } }\n`;
  await withFiles({ "bad.yaml": bad, "health.yml.txt": settings }, async (directory) => {
    const args = ["schedule", directory, "--health", join(directory, "health.yml.txt")];
    const history = ["--history", join(directory, "health.db")];
    const start = async (...more: string[]) => {
      const stop = new AbortController();
      let delivered = 0;
      const onOut = (text: string) => {
        if (text.includes(DELIVERED) && ++delivered === 2) stop.abort();
      };
      const clock = systemClock;
      return await runnerCli([...args, ...more, "--log", "json"], {
        ...{ signal: stop.signal, clock, onOut },
      });
    };
    await start(...history);
    deepEqual(told(receiver), ["raised Bad", "raised Bad"]);
    rmSync(join(directory, "bad.yaml"));
    equal((await start(...history, "--dry-run")).code, 4);
    equal((await start(...history, "--url", "ws://127.0.0.1:1")).code, 4, "of another server");
    equal((await start("--history", join(directory, "no.db"))).code, 4);
    equal(existsSync(join(directory, "no.db")), false);
    deepEqual(await openIncidents(directory), ["Bad"]);
    const { code, out, err } = await start(...history);
    equal(code, 4);
    match(err, /^Nothing to run: no recipes were found/);
    match(out, /"RESOLVED Bad is not scheduled any more;/);
    deepEqual(told(receiver).slice(2), ["resolved Bad", "resolved Bad"]);
    deepEqual(await openIncidents(directory), []);
    writeFileSync(join(directory, "bad.yaml"), 'name: Bad\nsteps: [{ assert: "false" }]\n');
    const last = await start(...history);
    deepEqual([last.code, last.out], [4, ""]);
    equal(last.err, "Nothing to run: no recipe has a `schedule`\n");
  });
});

test("whom nobody can tell any more that it is over is named in the log", async () => {
  await using hook = await Receiver.start(200);
  const files = { "bad.yaml": recipe("Bad", false, `, "${hook.url}/s3cret"`) };
  await withSchedule(files, async (directory, runUntil, receiver) => {
    // Both are told before it is stopped.
    await runUntil(DELIVERED);
    await runUntil("Bad: failed");
    rmSync(join(directory, "bad.yaml"));
    const lines = await runUntil(DELIVERED);
    const warnings = lines.filter((line) => line.startsWith("cannot tell"));
    equal(warnings.length, 1, lines.join("\n"));
    match(
      warnings[0]!,
      /^cannot tell http:\/\/127\.0\.0\.1:\d+#[\da-f]{8} that the alert for Bad is over: /,
    );
    deepEqual(told(hook), ["raised Bad"]);
    deepEqual(told(receiver), ["raised Bad", "resolved Bad"]);
  });
});
