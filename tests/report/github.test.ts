import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { appendFile, mkdir, readFile, realpath, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { pathInRepository, workflowCommand } from "../../runner/report/github/workflow_command.ts";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";
import { HOSTILE, manyCases, sampleRun } from "./_events.ts";
import { reportOf } from "./_report.ts";

interface Command {
  level: string;
  properties: Record<string, string>;
  message: string;
}

/** Parses workflow commands like GitHub's runner. */
function parseCommands(output: string): Command[] {
  return output.split(/\r\n|\r|\n/).filter((line) => line !== "").map((line) => {
    const [, level, properties, message] = /^::(\w+) (.*?)::(.*)$/.exec(line) ?? [];
    assert.ok(level !== undefined, `not a command: ${line}`);
    return {
      level,
      properties: Object.fromEntries(
        properties!.split(",").map((pair) => {
          const equals = pair.indexOf("=");
          return [pair.slice(0, equals), unescape(pair.slice(equals + 1), true)];
        }),
      ),
      message: unescape(message!, false),
    };
  });
}

function unescape(text: string, isProperty: boolean): string {
  const data = isProperty ? text.replaceAll("%3A", ":").replaceAll("%2C", ",") : text;
  return data.replaceAll("%0D", "\r").replaceAll("%0A", "\n").replaceAll("%25", "%");
}

test("escapes workflow commands so that GitHub's runner reads the same text", () => {
  for (const text of ["a", "a:b,c=d", "100%", "%0A", "%253A", "a\r\nb", "::error::x", HOSTILE]) {
    const given = { level: "warning", title: text, message: text, file: text, line: 3 } as const;
    const [read, ...more] = parseCommands(workflowCommand(given));
    assert.deepEqual(more, []);
    assert.deepEqual(read, {
      level: "warning",
      properties: { file: text, line: "3", title: text },
      message: text,
    });
  }
});

test("makes errors of cases that did not pass, notices of flaky ones, and warnings of soft failures", async () => {
  const commands = parseCommands(await reportOf("github", sampleRun()));
  assert.deepEqual(
    commands.map(({ level, properties: { file, line, col, endColumn } }) =>
      `${level} ${file}:${line}:${col}-${endColumn}`
    ),
    [
      "error recipes/2.yaml:12:5-18",
      "error recipes/3.yaml:4:5-26",
      "error recipes/4.yaml:undefined:undefined-undefined",
      "warning recipes/2.yaml:20:5-30",
      "warning recipes/2.yaml:undefined:undefined-undefined",
      "notice recipes/1.yaml:4:5-16",
    ],
  );
  const seen = HOSTILE.replace("\u0000\u0008\u001b", "␀␈␛")
    .replace("\ud800", "\\u{d800}").replace("\uffff", "\\u{ffff}");
  assert.equal(commands[0]!.properties.title, `Payment ${seen}`);
  assert.ok(commands[0]!.message.includes(`${seen} [step_failed]\n  seen: running at 0 ms`));
  assert.equal(commands[2]!.message, "nothing was asserted or waited for");
  assert.match(commands[5]!.message, /^flaky: it passed only after a retry\n`email/);
});

test("prints ten annotations of a level, and the last says how many are missing", async () => {
  const commands = parseCommands(await reportOf("github", manyCases(1_000)));
  assert.equal(commands.length, 10);
  assert.match(commands[9]!.message, /\n… and 90 more errors, which GitHub does not show here/);
  assert.ok(!commands[8]!.message.includes("more"));
  const ten = parseCommands(await reportOf("github", manyCases(100)));
  assert.equal(ten.length, 10);
  assert.ok(!ten[9]!.message.includes("… and"));
});

test("makes an error of an interrupted run", async () => {
  for (const events of [sampleRun({ interrupted: true }), sampleRun().slice(0, 3), []]) {
    const [first] = parseCommands(await reportOf("github", events));
    assert.equal(first!.level, "error");
    assert.equal(first!.properties.title, "Interrupted");
  }
});

test("makes paths relative to the root of the repository", () => {
  for (
    const [file, directory, workspace, path] of [
      ["recipes/a.yaml", "/repo", undefined, "recipes/a.yaml"],
      ["./recipes//a.yaml", "/repo", "/repo", "recipes/a.yaml"],
      ["a.yaml", "/repo/recipes", "/repo", "recipes/a.yaml"],
      ["../b/a.yaml", "/repo/recipes", "/repo/", "b/a.yaml"],
      ["/repo/recipes/a.yaml", "/repo", undefined, "recipes/a.yaml"],
      ["/elsewhere/a.yaml", "/repo", "/repo", "/elsewhere/a.yaml"],
      ["/repository/a.yaml", "/repo", "/repo", "/repository/a.yaml"],
      ["recipes\\a.yaml", "D:\\a\\repo", "D:\\a\\repo", "recipes/a.yaml"],
      ["D:\\a\\repo\\recipes\\a.yaml", "D:\\a\\repo", undefined, "recipes/a.yaml"],
      ["../a.yaml", "/repo", undefined, "../a.yaml"],
    ] as const
  ) {
    assert.equal(pathInRepository(file, directory, workspace), path);
  }
});

test("names a file relative to a checkout that is reached through a link", async () => {
  await withFiles({}, async (directory) => {
    const real = await realpath(directory);
    await mkdir(join(real, "repo", "sub"), { recursive: true });
    await writeFile(join(real, "repo", "sub", "a.yaml"), "");
    await symlink("repo", join(real, "link"));
    const at = (...names: string[]) => join(real, ...names);
    for (
      const [file, cwd, workspace] of [
        ["a.yaml", at("repo", "sub"), at("link")],
        ["a.yaml", at("link", "sub"), at("repo")],
        [at("link", "sub", "a.yaml"), at("repo"), at("repo")],
        [at("repo", "sub", "a.yaml"), at("link"), at("link")],
      ] as const
    ) assert.equal(pathInRepository(file, cwd, workspace), "sub/a.yaml");
  });
});

test("appends the job summary, up to a total of one megabyte", async () => {
  await withFiles({}, async (directory) => {
    const file = join(directory, "summary.md");
    const env = { GITHUB_STEP_SUMMARY: file };
    await reportOf("github", sampleRun(), env);
    const first = await readFile(file, "utf8");
    assert.match(first, /^## 3 passed \(1 flaky\), 1 failed/);
    await reportOf("github", sampleRun({ interrupted: true }), env);
    const both = await readFile(file, "utf8");
    assert.ok(both.startsWith(first));
    assert.match(both.slice(first.length), /^\n## Interrupted: /);
    await appendFile(file, "x".repeat(900_000));
    await reportOf("github", manyCases(20_000), env);
    assert.ok((await stat(file)).size <= 1024 * 1024);
    await writeFile(file, "x".repeat(1024 * 1024 - 10));
    await assert.rejects(reportOf("github", sampleRun(), env), { code: "summary_full" });
    assert.equal((await stat(file)).size, 1024 * 1024 - 10);
  });
});

test("appends the counts of the cases to the outputs of the step", async () => {
  await withFiles({}, async (directory) => {
    const file = join(directory, "output");
    await reportOf("github", sampleRun(), { GITHUB_OUTPUT: file });
    const counts = "passed=3\nfailed=1\nerrored=1\nunchecked=1\nskipped=1\nflaky=1\n";
    assert.equal(await readFile(file, "utf8"), counts);
    await writeFile(file, "mine=1");
    await reportOf("github", sampleRun(), { GITHUB_OUTPUT: file });
    assert.equal(await readFile(file, "utf8"), `mine=1\n${counts}`);
  });
});

test("does not read a job summary that is a device without end or a pipe", {
  skip: existsSync("/dev/full") ? false : "there is no such device",
}, async () => {
  const write = (file: string) => reportOf("github", sampleRun(), { GITHUB_STEP_SUMMARY: file });
  await assert.rejects(write("/dev/full"), { code: "ENOSPC" });
  await write("/dev/null");
  await withFiles({}, async (directory) => {
    const pipe = join(directory, "pipe");
    execFileSync("mkfifo", [pipe]);
    const read = readFile(pipe, "utf8");
    await write(pipe);
    assert.match(await read, /^## 3 passed/);
  });
});

const FAILING = "name: Failing\nsteps:\n  - assert: 1 == 2\n";

test("is on by default in GitHub Actions, beside the console", async () => {
  await withFiles({ "a.yaml": FAILING }, async (directory) => {
    const summary = join(directory, "summary.md");
    const env = { GITHUB_ACTIONS: "true", GITHUB_STEP_SUMMARY: summary };
    const { code, out, err } = await runnerCli([join(directory, "a.yaml")], { env });
    assert.equal(code, 1);
    assert.equal(err, "");
    assert.match(out, /✗ assert 1 == 2/);
    const [error, ...more] = parseCommands(
      out.split("\n").filter((line) => line.startsWith("::")).join("\n"),
    );
    assert.deepEqual(more, []);
    assert.ok(error!.properties.file!.endsWith("a.yaml"));
    assert.equal(error!.properties.line, "3");
    assert.match(await readFile(summary, "utf8"), /^## 1 failed in /);
    const withConsole = await runnerCli([join(directory, "a.yaml"), "--reporter", "console"], {
      env,
    });
    assert.ok(!withConsole.out.includes("::error"));
    const elsewhere = await runnerCli([join(directory, "a.yaml")]);
    assert.ok(!elsewhere.out.includes("::error"));
  });
});

test("refuses a job summary that cannot be written, and creates a missing directory for it", async () => {
  await withFiles({ "a.yaml": "steps: [{ assert: true }]" }, async (directory) => {
    const recipe = join(directory, "a.yaml");
    const runWith = (summary: string) =>
      runnerCli([recipe, "--reporter", "github"], { env: { GITHUB_STEP_SUMMARY: summary } });
    const { code, out, err } = await runWith(join(recipe, "summary.md"));
    assert.deepEqual([code, out], [2, ""]);
    assert.match(err, /^error: reporter github: Cannot write file '.*': a part of the path is not/);
    const summary = join(directory, "nope", "summary.md");
    assert.equal((await runWith(summary)).code, 0);
    assert.match(await readFile(summary, "utf8"), /1 passed/);
  });
});
