import { deepEqual, equal, match, ok } from "node:assert/strict";
import { renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";
import { scriptModule } from "../runner/_script.ts";

const FAILING = `name: Smoke
schedule: { cron: "* * * * * *" }
alert: { after: 1 }
steps: [{ assert: "false" }]
`;

/** Runs a schedule of a directory, and calls back with each piece of its output until it stops. */
async function scheduled(
  files: Record<string, string>,
  onOut: (text: string, directory: string, stop: () => void) => void,
): Promise<{ code: number; lines: string[] }> {
  return await withFiles(files, async (directory) => {
    const stop = new AbortController();
    const { code, out } = await runnerCli(["schedule", directory, "--log", "json"], {
      signal: stop.signal,
      onOut: (text) => onOut(text, directory, () => stop.abort()),
    });
    return { code, lines: out.trimEnd().split("\n").map((line) => JSON.parse(line).message) };
  });
}

const isNotice = (line: string) => /^(ALERT|RESOLVED|CHECK)/.test(line);

test("the alert of a recipe that is renamed is over, and the new name has its own", async () => {
  const { code, lines } = await scheduled({ "r.yaml": FAILING }, (text, directory, stop) => {
    if (text.includes("ALERT Smoke")) {
      writeFileSync(join(directory, "r.yaml"), FAILING.replace("Smoke", "Order smoke"));
    }
    if (text.includes("ALERT Order smoke")) stop();
  });
  equal(code, 0);
  const notices = lines.filter(isNotice);
  equal(notices.length, 3, lines.join("\n"));
  match(notices[0]!, /^ALERT Smoke has failed/);
  ok(/^RESOLVED Smoke is not scheduled any more; it had been failing since /.test(notices[1]!));
  match(notices[2]!, /^ALERT Order smoke has failed/);
});

test("a file that changes while the schedule starts is read again", async () => {
  let failures = 0;
  const { lines } = await scheduled({ "r.yaml": FAILING }, (text, directory, stop) => {
    // Its checks are known, and nobody looks for changes yet.
    if (text.includes("Smoke: first run")) {
      writeFileSync(join(directory, "r.yaml"), FAILING.replace("Smoke", "Order smoke"));
    }
    if (text.includes("was read again") || text.includes(": failed") && ++failures === 10) stop();
  });
  ok(lines.some((line) => line.endsWith("r.yaml was read again")), lines.join("\n"));
});

test("a schedule whose last file is deleted goes on, and takes the file up again", async () => {
  let steps = 0;
  const { code, lines } = await scheduled({ "r.yaml": FAILING }, (text, directory, stop) => {
    const file = join(directory, "r.yaml");
    if (steps === 0 && text.includes("ALERT")) steps++, rmSync(file);
    else if (steps === 1 && text.includes("RESOLVED")) steps++, writeFileSync(file, FAILING);
    else if (steps === 2 && text.includes("ALERT")) stop();
  });
  equal(code, 0);
  deepEqual(lines.filter(isNotice).map((line) => line.slice(0, 9)), [
    "ALERT Smo",
    "RESOLVED ",
    "ALERT Smo",
  ]);
});

test("a file that is missing for a moment, while an editor replaces it, ends no alert", async () => {
  let runs = 0;
  const { code, lines } = await scheduled({ "r.yaml": FAILING }, (text, directory, stop) => {
    if (!text.includes(`"finished"`)) return;
    const [file, away] = [join(directory, "r.yaml"), join(directory, "away")];
    // Files are looked at every other second: it is missing in one look.
    if (++runs === 1) renameSync(file, away);
    else if (runs === 3) renameSync(away, file);
    else if (runs === 7) stop();
  });
  equal(code, 0);
  deepEqual(lines.filter((line) => isNotice(line) || /not scheduled/.test(line)).length, 1);
});

test("a file that cannot be looked at is told once, and its check goes on", async () => {
  let [wasTold, later] = [false, 0];
  const { code, lines } = await scheduled({ "r.yaml": FAILING }, (text, directory, stop) => {
    const file = join(directory, "r.yaml");
    if (text.includes("ALERT")) {
      rmSync(file);
      symlinkSync(file, file);
    }
    wasTold ||= text.includes("cannot look for changes");
    if (wasTold && text.includes(`"finished"`) && ++later === 5) stop();
  });
  equal(code, 0);
  equal(lines.filter((line) => /cannot look for changes: ELOOP/.test(line)).length, 1);
  deepEqual(lines.filter((line) => /not scheduled/.test(line)), []);
});

test("a check whose file changes during its run does not overlap with itself", async () => {
  const long = FAILING.replace("steps: [", "steps: [{ sleep: 6s }, ");
  let started = 0;
  const { lines } = await scheduled({ "r.yaml": long }, (text, directory, stop) => {
    if (text.includes(`"started"`) && ++started === 1) {
      writeFileSync(join(directory, "r.yaml"), `${long}# changed\n`);
    }
    if (started === 2) stop();
  });
  const events = lines.filter((line) => /^Smoke: (run started|failed)|was read again/.test(line));
  deepEqual(events.map((line) => line.replace(/^.*: |^.*was/, "")).slice(0, 4), [
    "run started",
    " read again",
    "failed",
    "run started",
  ]);
});

test("a heartbeat of the settings without an address is found before anything starts", async () => {
  const files = {
    "r.yaml": FAILING,
    "health.yaml": 'secrets: [BEAT]\nheartbeat: "${{ secrets.BEAT }}"\n',
  };
  await withFiles(files, async (directory) => {
    const args = ["schedule", join(directory, "r.yaml"), "--health"];
    for (
      const [BEAT, why] of [[undefined, "Cannot find secret BEAT in the environment"], [
        "nowhere",
        "must be an HTTP address",
      ]]
    ) {
      const { code, out, err } = await runnerCli([
        ...args,
        join(directory, "health.yaml"),
      ], BEAT === undefined ? {} : { env: { BEAT } });
      equal(code, 2, err);
      match(err, /^error: Cannot use the heartbeat of the settings: /);
      ok(err.includes(why!), err);
      equal(out, "");
    }
  });
});

const PASSING = FAILING.replace('"false"', '"true"');

/** Runs a schedule until stopped, calls back when something happens first, and returns all that did. */
async function firstTimes(
  args: string[],
  onFirst: (what: string, stop: () => void) => void,
): Promise<string[]> {
  const stop = new AbortController();
  const all: string[] = [];
  await runnerCli(["schedule", ...args, "--log", "json"], {
    signal: stop.signal,
    onOut: (text) => {
      for (const line of text.trimEnd().split("\n")) {
        const { event, verdict } = JSON.parse(line);
        const what = event === "finished" ? verdict : event;
        if (!/^(passed|failed|errored|broken|reloaded)$/.test(what) || all.includes(what)) continue;
        all.push(what);
        onFirst(what, () => stop.abort());
      }
    },
  });
  return all;
}

test("a broken recipe is mended by a file that it uses", async () => {
  await withFiles({ "recipes.yaml": PASSING }, async (directory) => {
    const recipe = join(directory, "recipes.yaml");
    const all = await firstTimes([recipe], (what, stop) => {
      if (what === "passed") {
        writeFileSync(recipe, PASSING.replace(/steps:.*/, "steps: [{ use: part.yaml }]"));
      } else if (what === "broken") {
        writeFileSync(join(directory, "part.yaml"), 'steps: [{ assert: "false" }]\n');
      } else if (what === "failed") stop();
    });
    deepEqual(all, ["passed", "broken", "reloaded", "failed"]);
  });
});

test("a recipe is read again when the file of its cases changes", async () => {
  const recipe = PASSING.replace('"true"', "vars.n == 2")
    .replace("steps:", "cases: rows.csv\nvars: { n: 1 }\nsteps:");
  await withFiles({ "r.yaml": recipe, "rows.csv": "n\n1\n" }, async (directory) => {
    const all = await firstTimes([join(directory, "r.yaml")], (what, stop) => {
      if (what === "failed") writeFileSync(join(directory, "rows.csv"), "n\n2\n");
      else if (what === "passed") stop();
    });
    deepEqual(all, ["failed", "reloaded", "passed"]);
  });
});

test("a recipe in TypeScript is read again when a module that it imports changes", async () => {
  const module = `import { n } from "./n.ts";\n` +
    scriptModule(
      `recipe("R", { schedule: { cron: "* * * * * *" } }, (t) => t.expect(n).toBe(2))`,
    );
  await withFiles({ "r.recipe.ts": module, "n.ts": "export const n = 1;" }, async (directory) => {
    const n = join(directory, "n.ts");
    const all = await firstTimes([directory], (what, stop) => {
      if (what === "failed") writeFileSync(n, "export const = 2;");
      else if (what === "broken") writeFileSync(n, "export const n = 2;");
      else if (what === "passed") stop();
    });
    deepEqual(all, ["failed", "broken", "reloaded", "passed"]);
  });
});

test("a recipe that needs inputs changes those that use it, and is not broken itself", async () => {
  const use = PASSING.replace(/steps:.*/, "steps: [{ use: part.yaml, inputs: { n: one } }]");
  const part = `inputs: { n: { type: text } }\nsteps: [{ assert: "inputs.n == 'one'" }]\n`;
  await withFiles({ "r.yaml": use, "part.yaml": part }, async (directory) => {
    const all = await firstTimes([directory], (what, stop) => {
      if (what === "passed") {
        writeFileSync(join(directory, "part.yaml"), part.replace("one", "two"));
      } else if (what === "failed") stop();
    });
    deepEqual(all, ["passed", "reloaded", "failed"]);
  });
});

test("a recipe is read again while the history cannot be written", async () => {
  await withFiles({ "r.yaml": PASSING }, async (directory) => {
    const [recipe, history] = [join(directory, "r.yaml"), join(directory, "health.db")];
    let other: DatabaseSync | undefined;
    const all = await firstTimes([recipe, "--history", history], (what, stop) => {
      if (what === "passed") {
        other = new DatabaseSync(history);
        other.exec("PRAGMA busy_timeout = 5000; BEGIN EXCLUSIVE");
        writeFileSync(recipe, FAILING);
      } else if (what === "failed") {
        other!.close();
        stop();
      }
    });
    deepEqual(all, ["passed", "reloaded", "failed"]);
  });
});
