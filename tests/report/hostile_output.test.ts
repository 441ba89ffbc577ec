import { deepEqual, equal, ok } from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { COMMANDS } from "../../runner/cli/commands.ts";
import { needsStandardOutput, REPORTERS } from "../../runner/report/registry.ts";
import { safeOutput } from "../../runner/report/safe_output.ts";
import type { TextKind } from "../../runner/report/reporter.ts";
import { createScriptedServer } from "../../testing/scripted_server.ts";
import { runnerCli } from "../runner/_cli.ts";
import { filesBelow, read } from "../project/sources.ts";
import { RunnerProcess } from "../runner/_process.ts";
import { withFiles } from "../runner/_recipe.ts";

/** What must not reach a terminal or a log as it is. */
const HOSTILE = [
  "\u001b[31mred\u001b[8mhidden\u001b[0m",
  "\u001b]0;title\u0007\u001b]8;;http://x/\u001b\\link",
  "\u0090q\u009c\u009b2J\u009d0;t\u009c",
  "a\rb\bc\u007fd\u0000e\u0085f",
  "\u202eevil\u2066\u2069\u200f\u200e\u061c\u2028\u2029\ufeff\u200b",
  "tags \u{e0041}\u{e007f}, fillers \u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0, notes \u{1d173}\u{1bca0}",
  "\n::error::x\n::add-mask::y\n   ::set-output name=a::b\n::stop-commands::z\n",
  "##[error]x ##vso[task.setvariable variable=a]b ##teamcity[message text='c']",
].join("|");

/** The same in a YAML or JSON string. */
const QUOTED = JSON.stringify(HOSTILE).replace(
  /[\u007f-\uffff]/g,
  (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
);

/** The characters that a terminal acts on, that cannot be seen, or that turn text around. */
const CONTROLS =
  // deno-lint-ignore no-control-regex -- The pattern is about control characters.
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u{e0000}-\u{e007f}\u{1d173}\u{1bca0}]/gu;

/** Finds what a terminal or a CI system would act on. */
function findings(text: string, allowed?: RegExp): string[] {
  const rest = allowed ? text.replace(allowed, "") : text;
  return [
    ...rest.match(CONTROLS) ?? [],
    ...rest.split("\n").filter((line) => /^\s*::/.test(line)),
    ...rest.match(/##\w*\[/g) ?? [],
  ];
}

const RECIPE = `
name: ${QUOTED}
description: ${QUOTED}
tags: [${QUOTED}]
matrix: { k: [${QUOTED}] }
vars: { v: ${QUOTED}, m: { ${QUOTED}: ${QUOTED} } }
schedule: { cron: "* * * * * *" }
alert: { after: 1, to: "\${{ env.HOOK }}" }
env: { HOOK: ops@example.com }
steps:
  - name: ${QUOTED}
    log: ${QUOTED}
  - log: \${{ vars.v }}
  - start: \${{ vars.v }}
    soft: true
  - call: job.get
    data: { job_id: ${QUOTED} }
    retry: { attempts: 2, backoff: 1ms }
    soft: true
  - enqueue: send-email
    payload: { to: ${QUOTED}, subject: s, body: "\${{ vars.m }}" }
  - assert: vars.v == "" || size(matrix.k) == 0
always:
  - name: ${QUOTED}
    expect: { vars.m: { a: 1 } }
`;

/** A recipe with an error in a line that has hostile text. */
const WRONG =
  `name: ${QUOTED}\nsteps:\n  - logg: ${HOSTILE.replace(/[\n\r\u0085\u2028\u2029]/g, " ")}\n` +
  `  - ${QUOTED}: 1\n  - wait: ${QUOTED}\n  - if: ${QUOTED}\n    log: a\n`;

const OWN_COMMANDS = /^::(?:error|warning|notice) /gm;

for (const reporter of [...Object.keys(REPORTERS), "none"].filter((name) => name !== "otel")) {
  test(`a hostile recipe controls neither terminal nor CI with the ${reporter} reporter`, async () => {
    await withFiles({ "a.yaml": RECIPE }, async (directory) => {
      const file = join(directory, "report");
      const args = [
        "run",
        join(directory, "a.yaml"),
        "--verbose",
        ...reporter === "none" ? [] : [`--reporter=${reporter}`],
      ];
      const allowed = reporter === "github" ? OWN_COMMANDS : undefined;
      const plain = await runnerCli(args);
      equal(plain.code, 1, plain.err);
      deepEqual(findings(plain.out, allowed), [], plain.out);
      deepEqual(findings(plain.err), [], plain.err);
      ok(plain.out.includes("hidden"), "the report does not name the failed case");
      ok(plain.err.includes("hidden"));
      if (reporter === "none" || !needsStandardOutput({ name: reporter })) return;
      // A file gets the same document: the reporter made it safe, not the output.
      let onPipe = "";
      const output = {
        write: (text: string) => void (onPipe += text),
        isTerminal: false,
        color: false,
        columns: 80,
      };
      await runnerCli([...args.slice(0, 2), `--reporter=${reporter}=${file}`]);
      const written = await readFile(file, "utf8");
      deepEqual(findings(written), []);
      safeOutput(output).write(written);
      equal(onPipe, written);
    });
  });
}

test("the values in JSON on standard output are those of the recipe", async () => {
  await withFiles({ "a.yaml": RECIPE }, async (directory) => {
    const { out } = await runnerCli([join(directory, "a.yaml"), "--reporter=json"]);
    const [{ vars, tags, matrix }] = JSON.parse(out).cases;
    deepEqual({ vars, tags, matrix }, {
      vars: { v: HOSTILE, m: { [HOSTILE]: HOSTILE } },
      tags: [HOSTILE],
      matrix: { k: HOSTILE },
    });
  });
});

test("a hostile recipe controls nothing in colour or on a terminal", async () => {
  // deno-lint-ignore no-control-regex -- The runner's own colours, and codes of its live view.
  const own = /\u001b\[(?:\d+m|\d*A|[JK]|\?(?:25|7)[hl])|\r/g;
  await withFiles({ "a.yaml": RECIPE }, async (directory) => {
    for (const terminal of [false, true]) {
      for (const command of ["run", "list"]) {
        const { out, err } = await runnerCli([command, join(directory, "a.yaml")], {
          terminal,
          color: true,
        });
        deepEqual(findings(out + err, own), [], out + err);
        ok(!(out + err).includes("\u001b[8m"), out + err);
      }
    }
  });
});

test("a hostile recipe controls nothing with any other command", async () => {
  const unknown = `steps:\n  - enqueue: ${QUOTED}\n  - publish: ${QUOTED}\n`;
  const files = { "a.yaml": RECIPE, "wrong.yaml": WRONG, "unknown.yaml": unknown };
  await withFiles(files, async (directory) => {
    const good = join(directory, "a.yaml");
    const wrong = join(directory, "wrong.yaml");
    const module = join(directory, "module.recipe.ts");
    await writeFile(module, `throw new Error(${JSON.stringify(HOSTILE)});\n`);
    await mkdir(join(directory, "empty"));
    const history = join(directory, "history.db");
    const stream = join(directory, "run.jsonl");
    await runnerCli(["run", good, `--history=${history}`, `--reporter=jsonl=${stream}`]);
    const calls: string[][] = [
      ["run", good, "--dry-run"],
      ["run", wrong],
      ["run", module],
      ["run", good, "--var", `v=${HOSTILE}`, "--quiet"],
      ["run", good, "--var", HOSTILE],
      ["run", good, `--reporter=${HOSTILE}`],
      ["run", good, `--reporter=junit=${good}/${HOSTILE.replaceAll("\0", "")}`],
      ["run", good, `--${HOSTILE}`],
      ["run", good, "--url", HOSTILE],
      ["run", good, "--dev", HOSTILE.replaceAll("\0", "")],
      ["run", good, "--clock", HOSTILE],
      ["run", join(directory, "unknown.yaml")],
      ["run", good, "--tag", HOSTILE],
      ["run", `${directory}/${HOSTILE.replaceAll("\0", "")}`],
      [HOSTILE],
      ["check", good, wrong, module],
      ["check", good, wrong, "--format=github"],
      ["check", good, wrong, "--format=json"],
      ["list", directory],
      ["list", directory, "--format=json"],
      ["explore", wrong],
      ["explore", good, "--faults", HOSTILE],
      ["explore", good, "--seed", "1", "--only", HOSTILE],
      ["report", stream],
      ["report", wrong],
      ["report", HOSTILE.replaceAll("\0", "")],
      ["merge", stream],
      ["merge", wrong],
      ["merge", HOSTILE.replaceAll("\0", "")],
      ["manifest", HOSTILE],
      ["manifest", "github", good],
      ["manifest", "kubernetes", good, "--image", HOSTILE, "--url", HOSTILE],
      ["history", `--history=${history}`],
      ["history", `--history=${history}`, "--format=json"],
      ["history", `--history=${history}`, "error"],
      ["history", `--history=${history}`, HOSTILE],
      ["schedule", good, "--dry-run"],
      ["schedule", good, "--url", HOSTILE],
      ["explain", HOSTILE],
      ["schema", "--of", HOSTILE],
      ["completion", HOSTILE],
      ["__complete", "fish", "--", HOSTILE],
      ["__complete", "fish", "--", "run", `${directory}/`],
      ["__complete", "fish", "--", "run", directory, "--tag", ""],
      ["__complete", "bash", HOSTILE, `dispatch run ${directory}/ --tag `],
      ["init", `${directory}/empty/${HOSTILE.replace(/\0/g, "")}`],
      ["dev", HOSTILE.replaceAll("\0", "")],
      ["dev", "--host", HOSTILE],
      ["dev", "--fault", HOSTILE],
      ...["call", "cancel", "enqueue", "get", "publish", "start", "stats"]
        .concat("record", "tail", "timeline", "wait", "watch")
        .map((name) => [name, HOSTILE, "--url", HOSTILE]),
      ["record", "order-payment", HOSTILE, "--dev", HOSTILE.replaceAll("\0", "")],
      ["admin", HOSTILE],
      ["admin", "job", HOSTILE, "--url", HOSTILE],
    ];
    const called = new Set(calls.map(([name]) => name).filter((name) => name! in COMMANDS));
    deepEqual([...called].toSorted(), Object.keys(COMMANDS).toSorted());
    for (const args of calls) {
      const { out, err } = await runnerCli(args);
      const text = `${args.join(" ")}: ${out}\n${err}`;
      // What a shell asks for while the user types can have no answer.
      ok(out + err !== "" || args[0] === "__complete", text);
      deepEqual(
        findings(out, args.includes("--format=github") ? OWN_COMMANDS : undefined),
        [],
        text,
      );
      deepEqual(findings(err), [], text);
    }
  });
});

test("a hostile server controls nothing through its errors, answers and close reasons", async () => {
  const scripts: Record<string, Parameters<typeof createScriptedServer>[0]> = {
    "a refusal of the token": async (peer) => {
      peer.refuse(await peer.next(), 401, HOSTILE);
      peer.close(1000, "::error::x");
    },
    "messages that are not frames": async (peer) => {
      peer.answer(await peer.next(), { session_id: HOSTILE });
      peer.send(HOSTILE);
      peer.send({ type: HOSTILE, [HOSTILE]: HOSTILE });
      for (;;) peer.refuse(await peer.next(), 500, HOSTILE);
    },
    "a close frame": async (peer) => {
      await peer.next();
      peer.close(4000, "\u202e\u001b[31m\n::error::x ##[error]");
    },
  };
  for (const [name, script] of Object.entries(scripts)) {
    await using server = await createScriptedServer(script, { manual: true });
    await withFiles(
      { "a.yaml": RECIPE.replace(/^(schedule|alert):.*\n/gm, "") },
      async (directory) => {
        const { code, out, err } = await runnerCli([
          join(directory, "a.yaml"),
          "--url",
          server.url,
          "--verbose",
        ]);
        ok(code === 1 || code === 3, out + err);
        deepEqual(findings(out + err), [], `${name}: ${out}${err}`);
        ok(err.includes("error"), err);
      },
    );
  }
});

test("a hostile admin API controls nothing through its answers and refusals", async () => {
  for (const status of [200, 400, 500]) {
    const server = createServer((_request, response) => {
      const record = {
        id: HOSTILE,
        name: HOSTILE,
        error: HOSTILE,
        payload: { [HOSTILE]: HOSTILE },
      };
      response.writeHead(status, { "content-type": "application/json" });
      response.end(JSON.stringify({ ...record, code: status, [HOSTILE]: HOSTILE }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const url = `--url=ws://127.0.0.1:${port}/dwp`;
    for (const action of [["stats"], ["workflows"], ["job", "x"], ["crons", "get", "x"]]) {
      for (const json of [[], ["--json"]]) {
        const { out, err } = await runnerCli(["admin", ...action, url, ...json]);
        ok(out + err !== "");
        deepEqual(findings(out + err), [], out + err);
      }
    }
    await new Promise((resolve) => server.close(resolve));
  }
});

test("a hostile address controls nothing in the lines of a schedule and its alerts", async () => {
  const bodies: string[] = [];
  const stop = new AbortController();
  const hook = createServer((request, response) => {
    request.setEncoding("utf8");
    request.on("data", (chunk) => void bodies.push(chunk));
    request.on("end", () => response.end(() => stop.abort()));
  });
  await new Promise<void>((resolve) => hook.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = hook.address() as AddressInfo;
    await withFiles({ "a.yaml": RECIPE }, async (directory) => {
      const { out, err } = await runnerCli(["schedule", join(directory, "a.yaml")], {
        env: { HOOK: `http://127.0.0.1:${port}/` },
        signal: stop.signal,
      });
      deepEqual(findings(out + err), [], out + err);
      const alerts = out.split("\n").filter((line) => line.includes(" ALERT "));
      equal(alerts.length, 1, out);
      ok(alerts[0]!.includes("hidden"));
    });
    const { text, recipe, failure } = JSON.parse(bodies.join(""));
    for (const field of [text, recipe, failure]) deepEqual(field.match(CONTROLS), null, field);
  } finally {
    hook.close();
  }
});

test("the bytes of a process contain nothing that a terminal or a CI system acts on", async () => {
  await withFiles({ "a.yaml": RECIPE }, async (directory) => {
    for (const reporter of ["console", "tap", "junit", "markdown"]) {
      const runner = new RunnerProcess(
        ["runner.ts", "run", join(directory, "a.yaml"), "--verbose", `--reporter=${reporter}`],
      );
      equal(await runner.exit(), 1, runner.output);
      deepEqual(findings(runner.output), [], runner.output);
    }
  });
});

test("only the command line writes to the standard streams directly", async () => {
  const writers: string[] = [];
  for (const path of await filesBelow()) {
    if (!/^(runner|dev|client)\/.*\.ts$/.test(path)) continue;
    if (/writeStandard|(?:process|Deno)\.std(?:out|err)/.test(await read(path))) writers.push(path);
  }
  // The first one prints a line when the process ends before its command.
  deepEqual(writers.toSorted(), ["runner/cli/early_end.ts", "runner/cli/main.ts"]);
});

/** Writes pieces to a safe output, and returns what arrives. */
function written(
  pieces: readonly (string | [text: string, kind: TextKind])[],
  { color = false, isTerminal = false } = {},
): string {
  let text = "";
  const output = safeOutput({
    write: (piece) => void (text += piece),
    isTerminal,
    color,
    columns: 80,
  });
  for (const piece of pieces) {
    if (typeof piece === "string") output.write(piece);
    else output.write(...piece);
  }
  return text;
}

test("a safe output leaves plain text alone", () => {
  for (const text of ["", "a\n\tb\n", "a::b ## c [d]\n# #[e]", "日本語 😀 é — 👩‍👩‍👧", "x ::y\n:z\n"]) {
    equal(written([text]), text);
    equal(written([...text].map((char) => char)), text);
  }
});

test("a safe output breaks up a command that arrives in pieces", () => {
  const cases: [pieces: string[], expected: string][] = [
    [["::error::x"], ": :error::x"],
    [[":", ":error::x"], ": :error::x"],
    [["a\n", "  ", ":", ":", "error"], "a\n  : :error"],
    [["a", "::b"], "a::b"],
    [["#", "#[error]"], "# #[error]"],
    [["##", "[error]"], "## [error]"],
    [["a ##vs", "o[b]"], "a ##vs o[b]"],
    [["x\n", "\u00a0::y"], "x\n\u00a0: :y"],
  ];
  for (const [pieces, expected] of cases) equal(written(pieces), expected, pieces.join("|"));
});

test("a safe output passes escape sequences only for colours, and only where colours are on", () => {
  const [green, title] = ["\u001b[32mok\u001b[0m", "\u001b]0;t\u0007"];
  equal(written([green]), "␛[32mok␛[0m");
  equal(written([green], { color: true }), "␛[32mok␛[0m");
  equal(written([[green, "styled"]]), "␛[32mok␛[0m");
  equal(written([[green + title, "styled"]], { color: true }), `${green}␛]0;t␇`);
  equal(written([["\u001b[1m::error::", "styled"]], { color: true }), "\u001b[1m: :error::");
  equal(
    written([["\r\u001b[2A\u001b[J\u001b[?25l\u001b[6n", "styled"]], { isTerminal: true }),
    "\r\u001b[2A\u001b[J\u001b[?25l␛[6n",
  );
});

test("a safe output passes CI commands only if they are written as commands", () => {
  equal(written([["::error file=a::b\n", "command"]]), "::error file=a::b\n");
  equal(written(["::error file=a::b\n"]), ": :error file=a::b\n");
  equal(written([["::add-mask::b\n::error ::c", "command"]]), ": :add-mask::b\n::error ::c");
  equal(written([["::error ::a\u001b[31m\u202eb", "command"]]), "::error ::a␛[31m\\u{202e}b");
});
