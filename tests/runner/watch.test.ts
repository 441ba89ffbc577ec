import assert from "node:assert/strict";
import { renameSync, symlinkSync } from "node:fs";
import { mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { FakeClock } from "../helpers/fake_clock.ts";
import { type CliResult, runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";
import { scriptModule } from "./_script.ts";

const PASS = "steps:\n  - assert: true\n";
const FAIL = "steps:\n  - assert: false\n";

/** Runs a recipe with --watch, and changes a file when the first run is over. */
function runWatched(recipe: string, changed: string, text: string): Promise<CliResult> {
  const stop = new AbortController();
  let runs = 0;
  const onOut = (printed: string) => {
    if (!printed.startsWith("Waiting for file changes")) return;
    if (++runs === 1) void writeFile(changed, text);
    else stop.abort();
  };
  return runnerCli([recipe, "--watch"], { signal: stop.signal, onOut });
}

test("--watch runs again when a recipe changes, until interrupted", async () => {
  await withFiles({ "r.yaml": FAIL }, async (directory) => {
    const file = join(directory, "r.yaml");
    const { code, out } = await runWatched(file, file, PASS);
    assert.equal(code, 130);
    assert.match(out, /1 failed in [^]*1 passed in /);
  });
});

test("--watch runs again when a recipe is added", async () => {
  await withFiles({ "a.yaml": PASS }, async (directory) => {
    const { out } = await runWatched(directory, join(directory, "b.yaml"), PASS);
    assert.match(out, /\n1 passed in [^]*\n2 passed in /);
  });
});

test("--watch does not run again without a change", async () => {
  await withFiles({ "r.yaml": PASS }, async (directory) => {
    const stop = new AbortController();
    const clock = new FakeClock();
    clock.setTimeout(() => stop.abort(), 5_000);
    const args = [join(directory, "r.yaml"), "--watch"];
    const { code, out } = await runnerCli(args, { signal: stop.signal, clock });
    assert.equal(code, 130);
    assert.equal(out.match(/1 passed/g)?.length, 1);
  });
});

test("--watch runs again when a used recipe changes", async () => {
  const inner = "steps:\n  - assert: 1 == 2\n";
  const files = { "inner.yaml": inner, "r.yaml": "steps:\n  - use: inner.yaml\n" };
  await withFiles(files, async (directory) => {
    const used = join(directory, "inner.yaml");
    const { out } = await runWatched(join(directory, "r.yaml"), used, inner.replace("2", "1"));
    assert.match(out, /1 failed in [^]*1 passed in /);
  });
});

test("--watch runs the new code of a recipe in TypeScript, and shows its places", async () => {
  const recipe = (body: string) => scriptModule(`recipe("R", (t) => {${body}})`);
  await withFiles({ "r.recipe.ts": recipe("t.expect(1).toBe(1);") }, async (directory) => {
    const file = join(directory, "r.recipe.ts");
    const { out, err } = await runWatched(file, file, recipe("\n  t.expect(1).toBe(2);\n"));
    assert.match(out, /1 passed in [^]*1 failed in /);
    assert.match(out + err, /r\.recipe\.ts:3:15\n[^]*3 \| {3}t\.expect\(1\)\.toBe\(2\);/);
    assert.doesNotMatch(out + err, /version=/);
  });
});

test("--watch runs the new code of modules that a recipe in TypeScript imports", async () => {
  const files = {
    "r.recipe.ts": `import { check } from "./check.ts";\n` +
      scriptModule(`recipe("R", (t) => check(t))`),
    "check.ts": `import { wanted } from "./wanted.ts";\n` +
      `export const check = (t) => {\n  t.expect(1).toBe(wanted);\n};\n`,
    "wanted.ts": "export const wanted = 1;\n",
  };
  await withFiles(files, async (directory) => {
    const stop = new AbortController();
    const wanted = join(directory, "wanted.ts");
    const changes = [
      () => writeFile(wanted, "export const wanted = 2;\n"),
      () => writeFile(wanted, "export const = 2;\n"),
      () => writeFile(wanted, "throw new Error('it is thrown');\n"),
      () => writeFile(wanted, 'import "./no.ts";\nexport const wanted = 1;\n'),
      () => writeFile(join(directory, "no.ts"), "export {};\n"),
      () => rm(join(directory, "check.ts")),
      () =>
        writeFile(join(directory, "check.ts"), "export const check = (t) => t.expect(1).toBe(3);"),
    ];
    let output = "";
    const onText = (printed: string) => void (output += printed);
    await runnerCli([directory, "--watch"], {
      signal: stop.signal,
      onErr: onText,
      onOut: (printed) => {
        onText(printed);
        if (!printed.startsWith("Waiting for file changes")) return;
        const change = changes.shift();
        if (change) void change();
        else stop.abort();
      },
    });
    const seen = output.match(/\d (passed|failed) in|cannot load the recipe's module/g);
    const broken = "cannot load the recipe's module";
    assert.deepEqual(
      seen,
      ["1 passed in", "1 failed in", broken, broken, broken, "1 passed in", broken, "1 failed in"],
      output,
    );
    assert.doesNotMatch(output, /version=/);
  });
});

test("--watch runs the new code of modules that recipes share, also of one that is added", async () => {
  const recipe = (name: string) =>
    `import { n } from "./n.ts";\n` +
    scriptModule(`recipe("${name}", (t) => t.expect(n).toBe(2))`);
  const files = {
    "a.recipe.ts": recipe("A"),
    "b.recipe.ts": recipe("B"),
    "n.ts": "export let n = 1;",
  };
  await withFiles(files, async (directory) => {
    const stop = new AbortController();
    const changes = [
      () => writeFile(join(directory, "n.ts"), "export let n = 2;"),
      () => writeFile(join(directory, "c.recipe.ts"), recipe("C")),
    ];
    const { out } = await runnerCli([directory, "--watch"], {
      signal: stop.signal,
      onOut: (printed) => {
        if (!printed.startsWith("Waiting for file changes")) return;
        const change = changes.shift();
        if (change) void change();
        else stop.abort();
      },
    });
    assert.deepEqual(out.match(/\d (passed|failed) in/g), [
      "2 failed in",
      "2 passed in",
      "3 passed in",
    ]);
  });
});

test("--watch runs the new code where links lead elsewhere, as in the volume of a ConfigMap", async () => {
  await withFiles({}, async (directory) => {
    const module = `import { n } from "./n.ts";\n` +
      scriptModule(`recipe("R", (t) => t.expect(n).toBe(1))`);
    for (const n of [1, 2]) {
      await mkdir(join(directory, `..${n}`));
      await writeFile(join(directory, `..${n}/r.recipe.ts`), module);
      await writeFile(join(directory, `..${n}/n.ts`), `export const n = ${n};`);
    }
    await symlink("..1", join(directory, "..data"));
    for (const name of ["r.recipe.ts", "n.ts"]) {
      await symlink(`..data/${name}`, join(directory, name));
    }
    const stop = new AbortController();
    let runs = 0;
    const { out } = await runnerCli([directory, "--watch"], {
      signal: stop.signal,
      onOut: (printed) => {
        if (!printed.startsWith("Waiting for file changes")) return;
        if (++runs === 3) return stop.abort();
        symlinkSync(`..${runs === 1 ? 2 : 1}`, join(directory, "..new"));
        renameSync(join(directory, "..new"), join(directory, "..data"));
      },
    });
    assert.deepEqual(out.match(/\d (passed|failed) in/g), [
      "1 passed in",
      "1 failed in",
      "1 passed in",
    ]);
  });
});

test("--watch runs again for what is saved while the recipe runs", async () => {
  await withFiles({ "r.yaml": "steps:\n  - log: first\n  - assert: true\n" }, async (directory) => {
    const file = join(directory, "r.yaml");
    const stop = new AbortController();
    let saved: Promise<void> | undefined;
    const { out } = await runnerCli([file, "--watch"], {
      signal: stop.signal,
      onOut: (printed) => {
        if (printed.includes("1 passed")) saved ??= writeFile(file, FAIL);
        if (printed.includes("1 failed")) stop.abort();
      },
    });
    await saved;
    assert.match(out, /1 passed in [^]*1 failed in /);
  });
});

test("--watch goes on when the file of --dev is broken, mended, replaced and removed", async () => {
  const dev = JSON.stringify(pathToFileURL(join(process.cwd(), "dev/mod.ts")).href);
  const jobs = (name: string) =>
    `import { defineJob } from ${dev};\nexport const job = defineJob("${name}", () => {});\n`;
  const recipe = "steps:\n  - { id: j, enqueue: b }\n  - wait: j\n";
  await withFiles({ "jobs.ts": jobs("a"), "r.yaml": recipe }, async (directory) => {
    const file = join(directory, "jobs.ts");
    const stop = new AbortController();
    const changes = [
      () => writeFile(file, "export const = 1;\n"),
      async () => {
        await writeFile(`${file}~`, jobs("b"));
        await rename(`${file}~`, file);
      },
      () => rm(file),
      () => writeFile(file, jobs("b")),
      () => writeFile(file, `export * from "./more.ts";\n`),
      () => writeFile(join(directory, "more.ts"), jobs("c")),
      () => writeFile(join(directory, "more.ts"), jobs("b")),
    ];
    let output = "";
    await runnerCli([join(directory, "r.yaml"), "--dev", file, "--watch"], {
      signal: stop.signal,
      onErr: (printed) => output += printed,
      onOut: (printed) => {
        output += printed;
        if (!printed.startsWith("Waiting for file changes")) return;
        const change = changes.shift();
        if (change) void change();
        else stop.abort();
      },
    });
    const seen = output.match(/has no job `b`|the import failed|1 passed/g);
    const expected = ["has no job `b`", "the import failed", "1 passed", "the import failed"];
    const more = ["the import failed", "has no job `b`", "1 passed"];
    assert.deepEqual(seen, [...expected, "1 passed", ...more]);
  });
});
