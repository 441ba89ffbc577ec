import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { parseArgs } from "../../runner/cli/args.ts";
import type { CallSession } from "../../runner/cli/calls/call_session.ts";
import { printEnd } from "../../runner/cli/calls/wait_for_end.ts";
import type { CommandContext } from "../../runner/cli/command.ts";
import { COMMANDS } from "../../runner/cli/commands.ts";
import { programName } from "../../runner/cli/program.ts";
import { InterruptedError } from "../../runner/events/deadline.ts";
import type { Invocation } from "../../runtime/invocation.ts";
import { runtimeName } from "../../runtime/process.ts";
import { startServer } from "../helpers/server.ts";
import { filesBelow, withoutComments } from "../project/sources.ts";
import { runnerCli } from "./_cli.ts";
import { withFiles } from "./_recipe.ts";

interface Call {
  runtime: Invocation["runtime"];
  main?: string;
  words?: string;
  _?: string;
  agent?: string;
  files?: string[];
  executable?: string;
  called?: string;
  path?: string;
}

function nameOf(
  { runtime, main, words = "", _, agent, files = [], executable = "", called, path }: Call,
) {
  const variables: Record<string, string | undefined> = {
    _,
    npm_config_user_agent: agent,
    PATH: path,
  };
  return programName({
    runtime,
    main,
    words: words.split(" "),
    executable,
    called,
    directory: "/me/shop",
    env: (name) => variables[name],
    exists: (path) => files.includes(path),
  });
}

const SHIM = "deno run --allow-all --config /me/.deno/bin/.dsp/deno.json jsr:@dispatch/sdk/cli";

for (
  const [name, call] of [
    ["dsp", { runtime: "deno", main: "file:///clone/runner.ts", words: SHIM }],
    ["dsp", {
      runtime: "deno",
      main: "https://jsr.io/@dispatch/sdk/0.1.0/runner.ts",
      _: "/me/.deno/bin/dsp",
      files: ["/me/.deno/bin/.dsp/deno.json"],
    }],
    // `make` and other programs leave their own name in `_`.
    ["deno run -A jsr:@dispatch/sdk/cli", {
      runtime: "deno",
      main: "https://jsr.io/@dispatch/sdk/0.1.0/runner.ts",
      _: "/usr/bin/make",
    }],
    ["deno run -A jsr:@dispatch/sdk/cli", { runtime: "deno" }],
    ["deno run -A runner.ts", {
      runtime: "deno",
      main: "file:///me/shop/runner.ts",
      words: "deno run -A --config deno.json runner.ts",
    }],
    ["deno run -A '/clone of it/runner.ts'", {
      runtime: "deno",
      main: "file:///clone%20of%20it/runner.ts",
    }],
    ["deno run -A C:/clone/runner.ts", { runtime: "deno", main: "file:///C:/clone/runner.ts" }],
    ["node runner.ts", { runtime: "node", main: "/me/shop/runner.ts" }],
    ["node ../x/runner.mjs", { runtime: "node", main: "../x/runner.mjs" }],
    ["dispatch", { runtime: "node", main: "/usr/local/bin/dispatch" }],
    ["npx dispatch", { runtime: "node", main: "/me/shop/node_modules/.bin/dispatch" }],
    ["bunx dispatch", {
      runtime: "node",
      main: "/me/shop/node_modules/.bin/dispatch",
      agent: "bun/1.4.5 npm/? node/v26.3.0 linux x64",
    }],
    ["npx @dispatch/sdk", {
      runtime: "node",
      main: "/me/.npm/_npx/6f2a/node_modules/.bin/dispatch",
    }],
    ["bunx @dispatch/sdk", {
      runtime: "node",
      main: "/cache/bunx-0-@dispatch/sdk@latest/node_modules/.bin/dispatch",
    }],
    ["npx @dispatch/sdk", {
      runtime: "node",
      main: "C:\\me\\npm\\node_modules\\@dispatch\\sdk\\runner.mjs",
    }],
    ["dispatch", {
      runtime: "node",
      main: "/me/.pnpm/global/5/node_modules/@dispatch/sdk/runner.mjs",
      _: "/me/.pnpm/dispatch",
    }],
    ["bun runner.ts", { runtime: "bun", main: "/me/shop/runner.ts", _: "/usr/bin/bun" }],
    ["bunx dispatch", { runtime: "bun", main: "/clone/runner.mjs", _: "/usr/bin/bunx" }],
    ["dispatch", { runtime: "bun", main: "/clone/runner.mjs", _: "/me/.bun/bin/dispatch" }],
    ["bunx @dispatch/sdk", {
      runtime: "bun",
      main: "/cache/x/node_modules/@dispatch/sdk/runner.mjs",
    }],
    ["dispatch-linux", {
      runtime: "bun",
      main: "/$bunfs/root/dispatch",
      executable: "/opt/dispatch-linux",
    }],
    ["dispatch", {
      runtime: "bun",
      main: "B:\\~BUN\\root\\dispatch.exe",
      executable: "C:\\tools\\dispatch.exe",
    }],
    ["dsp", {
      runtime: "bun",
      main: "/$bunfs/root/dispatch",
      called: "dsp",
      executable: "/opt/dispatch-linux",
    }],
    ["./dispatch-linux", {
      runtime: "bun",
      main: "/$bunfs/root/dispatch",
      called: "./dispatch-linux",
      path: "/bin:/opt/bin",
      executable: "/opt/dispatch-linux",
    }],
    ["dispatch", {
      runtime: "bun",
      main: "/$bunfs/root/dispatch",
      called: "/opt/bin/dispatch",
      path: "/bin:/opt/bin",
      executable: "/opt/dispatch-linux",
    }],
    ["dispatch", {
      runtime: "bun",
      main: "B:\\~BUN\\root\\dispatch.exe",
      called: "C:\\tools\\dispatch.exe",
      path: "C:\\Windows;C:\\tools",
      executable: "C:\\tools\\dispatch.exe",
    }],
  ] satisfies [string, Call][]
) {
  test(`is called ${name}: ${JSON.stringify(call)}`, () => assert.equal(nameOf(call), name));
}

const program = "npx @dispatch/sdk";

test("every help text names the command as it was called", async () => {
  for (const args of [["--help"], ["help"], ...Object.keys(COMMANDS).map((name) => [name, "-h"])]) {
    const { out } = await runnerCli(args, { program });
    assert.match(out, /^Usage: npx @dispatch\/sdk /m);
    assert.match(out, /^ {2}.*npx @dispatch\/sdk /m);
    assert.doesNotMatch(out, /(?:^|[`|(] ?)dispatch [a-z-]/m, args.join(" "));
  }
});

test("errors and hints name the command as it was called", async () => {
  await using server = await startServer();
  const env = { DISPATCH_URL: server.url };
  const says = async (args: string[], hint: string) => {
    const { out, err } = await runnerCli(args, { program, env });
    assert.ok((out + err).includes(`${hint}\n`), out + err);
  };
  await says(["check", "--tagg"], `Try: ${program} check --help`);
  await says(["--tagg"], `Try: ${program} --help`);
  const file = "tests/golden/unknown-key.yaml";
  for (const command of ["check", "run", "list"]) {
    await says([command, file], `For details: ${program} explain unknown-key`);
  }
  const { out } = await runnerCli(["start", "order-payment", '{"order_id": "ORD-7"}', "--json"], {
    env,
    program,
  });
  const { run_id } = JSON.parse(out);
  await says(["record", run_id], `Wait for it: ${program} wait ${run_id}`);
});

test("an interrupted wait says how to go on, with the command as it was called", async () => {
  const stop = new AbortController();
  let err = "";
  const context = {
    err: { write: (text: string) => void (err += text) },
    signal: stop.signal,
    program: () => Promise.resolve(program),
  } as unknown as CommandContext;
  const handle = {
    wait() {
      stop.abort(new InterruptedError("SIGINT"));
      return Promise.reject(stop.signal.reason);
    },
  };
  const session = { waitLimits: () => ({}) } as CallSession;
  const args = parseArgs([], {});
  await assert.rejects(printEnd("job_1", handle, session, args, context), InterruptedError);
  assert.equal(err, `It goes on: ${program} wait job_1\n`);
});

test("init names the command as it was called", async () => {
  await withFiles({}, async (directory) => {
    const { out } = await runnerCli(["init", directory], { program });
    const recipe = join(directory, "recipes/first.yaml");
    assert.ok(out.endsWith(`\nNext, run the recipe: ${program} ${recipe}\n`), out);
    const text = await readFile(recipe, "utf8");
    assert.ok(text.includes(`\n# Run it: ${program} recipes/first.yaml\n`), text);
  });
});

test("the process finds out how it was called", () => {
  const deno = runtimeName() === "deno" ? ["run", "-A", "--no-check"] : [];
  const { stderr } = spawnSync(process.execPath, [...deno, "runner.ts", "check", "--tagg"], {
    encoding: "utf8",
  });
  const start = { deno: "deno run -A", bun: "bun", node: "node" }[runtimeName()];
  assert.ok(stderr.endsWith(`\nTry: ${start} runner.ts check --help\n`), stderr);
});

test("an installed clone is called by the name of the command", async () => {
  const directory = await mkdtemp(join(tmpdir(), "dispatch-install-"));
  try {
    const command = join(directory, "bin/dsp");
    const runtime = dirname(process.execPath);
    const env = { ...process.env, PATH: `${directory}/bin:${runtime}:${process.env.PATH}` };
    if (runtimeName() === "deno") {
      const file = ["--config", "deno.json", "runner.ts"];
      const { status, stderr } = spawnSync(
        process.execPath,
        ["install", "-g", "-A", "-q", "--root", directory, "-n", "dsp", ...file],
        { encoding: "utf8" },
      );
      assert.equal(status, 0, stderr);
    } else {
      // What `npm install -g .` makes.
      await mkdir(join(directory, "bin"));
      await symlink(resolve("runner.mjs"), command);
    }
    const { stderr } = spawnSync("sh", ["-c", "dsp check --tagg"], {
      encoding: "utf8",
      env,
      cwd: directory,
    });
    assert.ok(stderr.endsWith("\nTry: dsp check --help\n"), stderr);
  } finally {
    await rm(directory, { recursive: true });
  }
});

test("package.json has the command, which its file can run", async () => {
  const { bin } = JSON.parse(await readFile("package.json", "utf8"));
  assert.deepEqual(bin, { dispatch: "./runner.mjs" });
  assert.match(await readFile("runner.mjs", "utf8"), /^#!\/usr\/bin\/env node\n/);
});

test("nothing that says how to call a command uses the fixed name", async () => {
  const users: string[] = [];
  for (const path of await filesBelow()) {
    if (!path.startsWith("runner/cli/") || !path.endsWith(".ts")) continue;
    const source = withoutComments(await readFile(path, "utf8"));
    if (/\bPROGRAM\b|["'`\n]\s*dispatch [a-z]/.test(source)) users.push(path);
  }
  assert.deepEqual(users, [
    "runner/cli/command.ts",
    "runner/cli/commands/completion.ts",
    // It says in the files that it makes what made them.
    "runner/cli/commands/manifest.ts",
    "runner/cli/main.ts",
    "runner/cli/program.ts",
  ]);
});
