import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import {
  chmod,
  chown,
  link,
  lstat,
  mkdir,
  readdir,
  readFile,
  stat,
  symlink,
} from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { writeTextFile } from "../../runtime/write_file.ts";
import { REPORTERS } from "../../runner/report/registry.ts";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";

/** The reporters that can write a file. */
const WITH_FILES = Object.keys(REPORTERS).filter((name) => REPORTERS[name]!.writes !== "network");

const PASSING = { "a.yaml": "steps: [{ assert: true }]" };

test("refuses two reporters for one file, even if its path is written differently", async () => {
  for (
    const [one, other] of [["out.xml", "out.xml"], ["out.xml", "./recipes/../out.xml"]] as const
  ) {
    const { code, out, err } = await runnerCli(
      ["recipes/order-smoke.yaml", "--reporter", `junit=${one}`, "--reporter", `json=${other}`],
    );
    assert.equal(code, 2);
    assert.equal(out, "");
    assert.ok(err.startsWith(`error: Reporters junit and json both write '${other}'\n`), err);
  }
});

test("refuses reports that would replace each other or a recipe, also through a link", async () => {
  await withFiles(PASSING, async (directory) => {
    await symlink(join(directory, "a.xml"), join(directory, "b.xml"));
    await symlink(join(directory, "a.yaml"), join(directory, "c.xml"));
    const run = (...files: string[]) => runnerCli([join(directory, "a.yaml"), ...files]);
    const at = (name: string) => join(directory, name);
    const both = await run("--reporter", `tap=${at("a.xml")}`, "--reporter", `json=${at("b.xml")}`);
    assert.equal(both.code, 2);
    assert.ok(both.err.includes(`Reporters tap and json both write '${at("b.xml")}'`), both.err);
    for (const name of ["a.yaml", "c.xml"]) {
      const { code, err } = await run("--reporter", `tap=${at(name)}`);
      assert.equal(code, 2);
      assert.ok(err.includes(`reporter tap: '${at(name)}' is a recipe of this run`), err);
    }
    assert.equal(await readFile(at("a.yaml"), "utf8"), PASSING["a.yaml"]);
  });
});

test("refuses a report that would replace a file that the run reads or writes", async () => {
  const files = {
    "a.yaml": "vars: { v: 1 }\nsteps: [{ parallel: [{ use: b.yaml }] }]",
    "b.yaml": "steps: [{ use: c.yaml }]",
    "c.yaml": "steps: [{ assert: true }]",
    "vars.yaml": "v: 2",
    "one.xml": "before",
  };
  await withFiles(files, async (directory) => {
    const at = (name: string) => join(directory, name);
    await mkdir(at("sub"));
    await link(at("a.yaml"), at("linked.yaml"));
    await link(at("one.xml"), at("two.xml"));
    await symlink(".", at("sub/same"));
    const args = [at("a.yaml"), "--vars", at("vars.yaml"), "--history", at("h.db")];
    const run = async (reports: string[], env = {}) => {
      const { code, err } = await runnerCli(
        [...args, ...reports.map((one) => `--reporter=${one}`)],
        {
          env,
        },
      );
      return [code, err.split("\n")[0]];
    };
    for (
      const [name, what] of [
        ["b.yaml", "a recipe of this run"],
        ["c.yaml", "a recipe of this run"],
        ["linked.yaml", "a recipe of this run"],
        ["vars.yaml", "a file of `--vars`"],
        ["sub/../h.db", "the history of this run"],
      ] as const
    ) {
      const expected = [2, `error: reporter tap: '${directory}/${name}' is ${what}`];
      assert.deepEqual(await run([`tap=${directory}/${name}`]), expected);
    }
    for (
      const [one, two] of [["one.xml", "two.xml"], ["sub/new.xml", "sub/same/new.xml"]] as const
    ) {
      const expected = [2, `error: Reporters tap and json both write '${at(two)}'`];
      assert.deepEqual(await run([`tap=${at(one)}`, `json=${at(two)}`]), expected);
    }
    assert.deepEqual(
      await run(["github", `json=${at("one.xml")}`], { GITHUB_STEP_SUMMARY: at("two.xml") }),
      [2, `error: Reporters github and json both write '${at("one.xml")}'`],
    );
    for (const [name, text] of Object.entries(files)) {
      assert.equal(await readFile(at(name), "utf8"), text);
    }
    assert.deepEqual(await run([`tap=${at("one.xml")}`]), [0, ""]);
  });
});

test("writes a file whose name is as long as file systems allow", async () => {
  await withFiles(PASSING, async (directory) => {
    const names = ["x".repeat(255), "\u00e4".repeat(127), "\u{1f600}".repeat(63)];
    for (const name of names) {
      await writeReport(directory, join(directory, name));
      assert.ok(await hasReport(join(directory, name)));
    }
  });
});

test("refuses an empty file name", async () => {
  const { code, err } = await runnerCli(["recipes", "--reporter", "junit="]);
  assert.equal(code, 2);
  assert.match(err, /^error: Reporter junit needs a file name after `=`\n/);
});

test("refuses a file that cannot be written before the run, for every reporter", async () => {
  await withFiles(PASSING, async (directory) => {
    await mkdir(join(directory, "taken"));
    for (
      const [file, reason] of [
        [join(directory, "taken"), "it is a directory"],
        [join(directory, "a.yaml", "out.xml"), "a part of the path is not a directory"],
      ] as const
    ) {
      for (const name of WITH_FILES) {
        const { code, out, err } = await runnerCli(
          [join(directory, "a.yaml"), "--reporter", "console", "--reporter", `${name}=${file}`],
        );
        assert.deepEqual([code, out], [2, ""]);
        const [line] = err.split("\n");
        assert.equal(line, `error: reporter ${name}: Cannot write file '${file}': ${reason}`);
      }
    }
    assert.deepEqual((await readdir(directory)).toSorted(), ["a.yaml", "taken"]);
  });
});

test("makes the directories of every reporter's file", async () => {
  await withFiles(PASSING, async (directory) => {
    for (const name of WITH_FILES) {
      const file = join(directory, name, "a", "b", "report");
      const { code, err } = await runnerCli([
        ...[join(directory, "a.yaml"), "--reporter", "console", "--reporter", `${name}=${file}`],
      ]);
      assert.equal(code, 0, err);
      await readFile(file);
    }
  });
});

test("a dry run makes no directory and needs no writable file", async () => {
  await withFiles(PASSING, async (directory) => {
    const recipe = join(directory, "a.yaml");
    for (const file of [join(directory, "nope", "out.xml"), join(recipe, "out.xml")]) {
      const args = [recipe, "--dry-run", "--reporter", `junit=${file}`];
      assert.equal((await runnerCli(args)).code, 0);
    }
    assert.deepEqual(await readdir(directory), ["a.yaml"]);
  });
});

test("a report that can no longer be written at the end turns a pass into 3, and only a pass", async () => {
  const files = { ...PASSING, "failing.yaml": "steps: [{ assert: 1 == 2 }]" };
  await withFiles(files, async (directory) => {
    for (const [recipe, expected] of [["a.yaml", 3], ["failing.yaml", 1]] as const) {
      for (const name of WITH_FILES) {
        const reports = join(directory, "reports");
        // The directory is gone, and a file has its name.
        const removeReports = () => {
          rmSync(reports, { recursive: true, force: true });
          writeFileSync(reports, "");
        };
        const { code, err } = await runnerCli([
          ...[join(directory, recipe), "--reporter", "console"],
          ...["--reporter", `${name}=${join(reports, "out")}`],
        ], { onOut: (text) => text.includes(" in ") ? removeReports() : undefined });
        assert.equal(code, expected, err);
        assert.match(err, new RegExp(`^error: reporter ${name} failed: Cannot write file '`));
        rmSync(reports);
      }
    }
  });
});

test("a device that is full turns a pass into 3", {
  skip: existsSync("/dev/full") ? false : "there is no such device",
}, async () => {
  await withFiles(PASSING, async (directory) => {
    const { code, err } = await runnerCli([
      join(directory, "a.yaml"),
      "--reporter=json=/dev/full",
    ]);
    assert.equal(code, 3);
    assert.match(err, /Cannot write file '\/dev\/full': no space left on the device\n$/);
  });
});

test("keeps an existing file until the run has ended", async () => {
  await withFiles({ ...PASSING, "out.xml": "before" }, async (directory) => {
    const file = join(directory, "out.xml");
    let during: Promise<string> | undefined;
    const { code } = await runnerCli(
      [join(directory, "a.yaml"), "--reporter", "console", "--reporter", `junit=${file}`],
      { onOut: () => void (during ??= readFile(file, "utf8")) },
    );
    assert.equal(code, 0);
    assert.equal(await during, "before");
    assert.match(await readFile(file, "utf8"), /^<\?xml/);
    assert.deepEqual((await readdir(directory)).toSorted(), ["a.yaml", "out.xml"]);
  });
});

test("writes to the target of a symbolic link and keeps the link", async () => {
  await withFiles({ ...PASSING, "real.json": "before" }, async (directory) => {
    const link = join(directory, "link.json");
    await symlink("real.json", link);
    const { code, err } = await runnerCli([
      join(directory, "a.yaml"),
      "--reporter",
      `json=${link}`,
    ]);
    assert.equal(code, 0);
    assert.ok(!err.includes("warning"), err);
    assert.ok((await lstat(link)).isSymbolicLink());
    const { cases } = JSON.parse(await readFile(join(directory, "real.json"), "utf8"));
    assert.equal(cases.length, 1);
  });
});

test("refuses a named pipe that nobody reads, before the run", {
  skip: process.platform === "win32" ? "Windows has no named pipes in directories" : false,
}, async () => {
  await withFiles({ "a.yaml": "steps: [{ assert: true }]" }, async (directory) => {
    const pipe = join(directory, "pipe");
    execFileSync("mkfifo", [pipe]);
    const { code, err } = await runnerCli([
      join(directory, "a.yaml"),
      "--reporter",
      `junit=${pipe}`,
    ]);
    assert.equal(code, 2, err);
    assert.match(
      err,
      /^error: reporter junit: Cannot write file '.*pipe': it is a named pipe that nobody reads$/m,
    );
    await assert.rejects(writeTextFile(pipe, "text"), { code: "ENXIO" });
  });
});

test("writes to a named pipe without replacing it", {
  skip: process.platform === "win32" ? "Windows has no named pipes in directories" : false,
}, async () => {
  await withFiles(PASSING, async (directory) => {
    const pipe = join(directory, "pipe");
    execFileSync("mkfifo", [pipe]);
    const read = readFile(pipe, "utf8");
    const { code } = await runnerCli([join(directory, "a.yaml"), "--reporter", `json=${pipe}`]);
    assert.equal(code, 0);
    assert.ok((await lstat(pipe)).isFIFO());
    assert.equal(JSON.parse(await read).cases.length, 1);
    assert.deepEqual((await readdir(directory)).toSorted(), ["a.yaml", "pipe"]);
  });
});

test("leaves files with similar names alone, and no temporary file behind", async () => {
  const others = { "out.json.probe": "a", "out.json.tmp": "b", ".out.json.tmp": "c" };
  await withFiles({ ...PASSING, ...others }, async (directory) => {
    await runnerCli([
      join(directory, "a.yaml"),
      "--reporter",
      `json=${join(directory, "out.json")}`,
    ]);
    for (const [name, text] of Object.entries(others)) {
      assert.equal(await readFile(join(directory, name), "utf8"), text);
    }
    const names = ["a.yaml", "out.json", ...Object.keys(others)];
    assert.deepEqual((await readdir(directory)).toSorted(), names.toSorted());
  });
});

const NO_MODES = process.platform === "win32" ? "Windows has no modes" : false;

/** Writes the `json` report to a file, and returns what is at a path then. */
async function writeReport(directory: string, file: string): Promise<void> {
  const { code, err } = await runnerCli([join(directory, "a.yaml"), "--reporter", `json=${file}`]);
  assert.equal(code, 0, err);
}

async function hasReport(file: string): Promise<boolean> {
  return JSON.parse(await readFile(file, "utf8")).cases.length === 1;
}

test("keeps the mode of a file that it replaces", { skip: NO_MODES }, async () => {
  await withFiles({ ...PASSING, "out.json": "before" }, async (directory) => {
    const file = join(directory, "out.json");
    for (const mode of [0o600, 0o640, 0o666, 0o755, 0o444, 0o1600]) {
      await chmod(file, mode);
      await writeReport(directory, file);
      assert.equal((await stat(file)).mode & 0o7777, mode, mode.toString(8));
      assert.ok(await hasReport(file));
    }
    assert.deepEqual((await readdir(directory)).toSorted(), ["a.yaml", "out.json"]);
  });
});

test("writes a file with several hard links in place", async () => {
  await withFiles({ ...PASSING, "one.json": "before" }, async (directory) => {
    const [one, other] = [join(directory, "one.json"), join(directory, "other.json")];
    await link(one, other);
    if (!NO_MODES) await chmod(one, 0o600);
    const { ino } = await stat(one);
    await writeReport(directory, one);
    assert.ok(await hasReport(other));
    assert.equal((await stat(one)).ino, ino);
    assert.equal((await stat(other)).nlink, 2);
    if (!NO_MODES) assert.equal((await stat(one)).mode & 0o777, 0o600);
    assert.deepEqual((await readdir(directory)).toSorted(), ["a.yaml", "one.json", "other.json"]);
  });
});

test("creates the file that a symbolic link leads to, and keeps the links", async () => {
  await withFiles(PASSING, async (directory) => {
    await mkdir(join(directory, "sub"));
    const links: [name: string, target: string][] = [
      ["first", "second"],
      ["second", join(directory, "sub", "third")],
      [join("sub", "third"), join("..", "new", "real.json")],
    ];
    for (const [name, target] of links) await symlink(target, join(directory, name));
    await writeReport(directory, join(directory, "first"));
    for (const [name] of links) {
      assert.ok((await lstat(join(directory, name))).isSymbolicLink(), name);
    }
    assert.ok(await hasReport(join(directory, "new", "real.json")));
    assert.ok((await lstat(join(directory, "new", "real.json"))).isFile());
  });
});

test("refuses a symbolic link that leads to itself", async () => {
  await withFiles(PASSING, async (directory) => {
    const file = join(directory, "loop");
    await symlink("loop", file);
    const { code } = await runnerCli([join(directory, "a.yaml"), "--reporter", `json=${file}`]);
    assert.equal(code, 2);
    assert.ok((await lstat(file)).isSymbolicLink());
  });
});

test("writes a file in place if its directory allows no new files", {
  skip: NO_MODES || (process.getuid?.() === 0 ? "root may write everywhere" : false),
}, async () => {
  await withFiles(PASSING, async (directory) => {
    const locked = join(directory, "locked");
    await mkdir(locked);
    const file = join(locked, "out.json");
    writeFileSync(file, "before");
    await chmod(locked, 0o555);
    try {
      await writeReport(directory, file);
      assert.ok(await hasReport(file));
    } finally {
      await chmod(locked, 0o755);
    }
  });
});

test("keeps the owner of a file", {
  skip: process.getuid?.() === 0 ? false : "only root can give a file away",
}, async () => {
  await withFiles({ ...PASSING, "out.json": "before" }, async (directory) => {
    const file = join(directory, "out.json");
    await chown(file, 1234, 2345);
    await writeReport(directory, file);
    const { uid, gid } = await stat(file);
    assert.deepEqual([uid, gid], [1234, 2345]);
    assert.ok(await hasReport(file));
    assert.deepEqual((await readdir(directory)).toSorted(), ["a.yaml", "out.json"]);
  });
});
