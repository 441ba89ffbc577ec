import { deepEqual, equal, match, ok } from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { readSettings } from "../../runner/cli/health/settings.ts";
import { NOTICE_RECORD, noticeBody } from "../../runner/notify/message.ts";
import { TARGET_KINDS } from "../../runner/notify/targets/target_kinds.ts";
import { checkRecipe } from "../../runner/recipe/read_recipe.ts";
import { read } from "../project/sources.ts";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";

const CHECK = 'schedule: { every: 1h }\nsteps: [{ assert: "true" }]\n';

/** Reads settings from a text; returns them with the messages of what is wrong. */
async function settingsOf(text: string) {
  return await withFiles({ "health.yaml": text }, async (directory) => {
    const { settings, diagnostics } = await readSettings(join(directory, "health.yaml"));
    return { settings, messages: diagnostics.map(({ message }) => message), diagnostics };
  });
}

test("the settings on the page about health checks are valid", async () => {
  const page = await read("docs/health.md");
  const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!);
  const isRecipe = (block: string) => block.includes("steps:");
  const recipes = blocks.filter(isRecipe);
  equal(recipes.length, 1);
  for (const recipe of recipes) deepEqual(await checkRecipe("r.yaml", recipe), []);
  const kinds = new Set<string>();
  for (const block of blocks.filter((block) => !isRecipe(block))) {
    const names = [...block.matchAll(/secrets\.(\w+)/g)].map(([, name]) => name);
    const isWhole = block.startsWith("secrets:");
    const secrets = isWhole || names.length === 0 ? "" : `secrets: [${names.join()}]\n`;
    const { settings, messages } = await settingsOf(secrets + block);
    deepEqual(messages, []);
    equal(settings?.heartbeat !== undefined, block.includes("heartbeat:"));
    for (const { kind } of settings?.targets.values() ?? []) kinds.add(kind.name);
  }
  deepEqual([...kinds].sort(), TARGET_KINDS.map(({ name }) => name).sort());
});

test("all mistakes are found at once, each with its place", async () => {
  const { settings, messages, diagnostics } = await settingsOf(`
secrets: [KEY]
defaults: { after: 3, within: 5 of 10m, to: [opss, "no one"] }
routes: [{ tags: [a], to: [ops@example.com] }]
heartbeat: { healthchecks: "ftp://x", uptime_kuma: https://example.com }
maintenance: [{ cron: "* * *", duration: 1h }]
parallel: 0
targets:
  ops: { slack: { url: nowhere } }
  pager: { pagerdut: {} }
  hook: { webhook: { url: "\${{ secrets.KEYS }}", headers: { "a b": c } } }
`);
  equal(settings, undefined);
  for (
    const wanted of [
      /`alert` has both `after` and `within`/,
      /there is no target `opss`/,
      /`no one` is not the name of a target/,
      /there is no mail server for `ops@example\.com`/,
      /`healthchecks` must be an HTTP address/,
      /`heartbeat` needs one of/,
      /`\* \* \*` is not a cron pattern/,
      /`parallel` must be at least 1/,
      /`url` must be an HTTP address/,
      /unknown key `pagerdut` in target `pager`/,
      /unknown secret `KEYS`/,
      /`a b` cannot be used as a name/,
    ]
  ) match(messages.join("\n"), wanted);
  // A place is a piece of the text, never the whole.
  for (const { span } of diagnostics) equal(span.end - span.start < 60, true);
});

test("an address of mail, a mail server and a header that cannot be used are mistakes", async () => {
  const { messages } = await settingsOf(`
mail: { smtp: "http://mail.example.com", from: Dispatch <dispatch@example.com> }
targets:
  team: { mail: { smtp: "smtp://", from: nobody, to: [ops@example.com, no one] } }
  hook: { webhook: { url: https://example.com, headers: { x-a: "a\\nb", x-b: "é", x-c: "€" } } }
  both: { slack: { url: https://example.com }, webhook: { url: https://example.com } }
heartbeat: { success: https://example.com, headers: { x-d: "a\\u0001" } }
`);
  deepEqual(messages.sort(), [
    "`from` must be a mail address",
    "`smtp` must be the address of a mail server",
    "`smtp` must be the address of a mail server",
    "`to` must be a mail address",
    "`x-a` cannot be a header",
    "`x-c` cannot be a header",
    "`x-d` cannot be a header",
    "target `both` has two kinds, `slack` and `webhook`",
  ]);
});

test("what an environment variable makes a header or an address of mail is found at the start", async () => {
  const kinds = [
    ["ntfy: { topic: a, token: $ }", "the value of `token` cannot be a header"],
    ["opsgenie: { api_key: $ }", "the value of `api_key` cannot be a header"],
    ["webhook: { url: https://example.com, headers: { x-a: $ } }", "`x-a` cannot be a header"],
    ["alertmanager: { url: https://example.com, headers: { x-a: $ } }", "`x-a` cannot be a header"],
    ["mail: { smtp: $, from: a@b, to: a@b }", "`smtp` must be the address of a mail server"],
    ["mail: { smtp: smtp://a, from: a@b, to: [$] }", "`to` must be a mail address"],
  ] as const;
  for (const [kind, why] of kinds) {
    const settings = `secrets: [KEY]\ntargets: { ops: { ${
      kind.replace("$", '"${{ secrets.KEY }}"')
    } } }`;
    const files = { "health.yaml": settings, "r.yaml": CHECK };
    await withFiles(files, async (directory) => {
      const args = ["schedule", join(directory, "r.yaml"), "--health"];
      const env = { KEY: "s3cr\n3t" };
      const { code, err } = await runnerCli([...args, join(directory, "health.yaml")], { env });
      equal(code, 2, err);
      match(err, /^error: Cannot use target 'ops': /);
      ok(err.includes(why), err);
      ok(!err.includes("s3cr"), err);
    });
  }
});

test("mistakes of the settings and of all recipes are printed at once", async () => {
  const files = {
    "health.yaml": "targets: { ops: { slack: { url: nowhere } } }\n",
    "recipes.yaml": "schedule: { every: soon }\n",
    "empty.yaml": "",
  };
  await withFiles(files, async (directory) => {
    const recipes = [join(directory, "recipes.yaml"), join(directory, "empty.yaml")];
    for (const command of ["check", "schedule"]) {
      const args = [command, ...recipes, "--health", join(directory, "health.yaml")];
      const { code, out, err } = await runnerCli(args);
      equal(code, 2);
      equal(out, "");
      match(err, /`url` must be an HTTP address\n --> \S+health\.yaml:1:33\n/);
      match(err, /`soon` is not a duration\n --> \S+recipes\.yaml:1:20\n/);
      match(err, /the file is empty; a recipe needs `steps`\n --> \S+empty\.yaml\n/);
      match(err, /\n4 errors in 3 files; nothing was run\./);
    }
  });
});

test("an empty file, and a route without receivers, are errors with a place", async () => {
  for (const text of ["", "# nothing\n", "---\n"]) {
    match((await settingsOf(text)).messages.join("\n"), /^the file is empty|a map, not null$/);
  }
  const { messages } = await settingsOf("routes: { tags: a }\ndefaults: { to: opss }\n");
  match(messages.join("\n"), /`to`/);
  match(messages.join("\n"), /there is no target `opss`/);
});

test("what is repeated each second or more often is an error with its place", async () => {
  const recipe = (alert: string, schedule: string) =>
    `schedule: { ${schedule} }\nalert: { ${alert} }\nsteps: [{ assert: "true" }]\n`;
  const ok = recipe("remind: 1s", "every: 1s, every_while_failing: 1s");
  deepEqual(await checkRecipe("r.yaml", ok), []);
  for (
    const [text, key, value] of [
      [recipe("remind: 999ms", "every: 1s"), "remind", "999ms"],
      [recipe("remind: 1h", "every: 500ms"), "every", "500ms"],
      [recipe("remind: 1h", "every: 1s, every_while_failing: 0s"), "every_while_failing", "0s"],
      [recipe("remind: \"${{ '1ms' }}\"", "every: 1s"), "remind", "'1ms'"],
    ] as const
  ) {
    const found = await checkRecipe("r.yaml", text);
    deepEqual(found.map(({ code, message }) => [code, message]), [
      ["wrong-value", `\`${key}\` must be at least 1 s`],
    ]);
    equal(text.slice(found[0]!.span.start, found[0]!.span.end), value);
  }
  const { diagnostics } = await settingsOf("defaults: { remind: 999ms }\n");
  deepEqual(diagnostics.map(({ message }) => message), ["`remind` must be at least 1 s"]);
});

test("a misspelt receiver is told with the name that was meant", async () => {
  const { diagnostics } = await settingsOf(
    "defaults: { to: [opps] }\ntargets: { ops: { command: { run: [notify-send] } } }\n",
  );
  deepEqual(diagnostics.map(({ code, label }) => [code, label]), [
    ["unknown-target", "did you mean `ops`?"],
  ]);
});

test("a body whose expressions would fail for a notice is a mistake", async () => {
  const problemOf = async (expression: string) => {
    const body = JSON.stringify({ a: `\${{ ${expression} }}` });
    const hook = `{ webhook: { url: https://example.com, body: ${body} } }`;
    const { diagnostics } = await settingsOf(`targets: { hook: ${hook} }\n`);
    return diagnostics.map(({ severity, code }) => `${severity} ${code}`).join();
  };
  for (
    const [expression, problem] of [
      ["notice.txt", "error unknown-field"],
      ["notice.failures + notice.text", "error type-mismatch"],
      // The notice that an alert is resolved has none, so that its receiver would never hear of that.
      ["notice.failure", "error may-be-absent"],
      ["notice.link + notice.text", "error may-be-absent"],
      ["notice.?failure.orValue('none')", ""],
      ["has(notice.link) ? notice.link : notice.id", ""],
      ["notice.text + string(notice.failures) + notice.tags.join()", ""],
      ["notice", ""],
    ] as const
  ) equal(await problemOf(expression), problem, expression);
});

test("expressions know the keys of a notice, and which of them can be absent", () => {
  const check = { ...{ id: "a", name: "A", file: "a.yaml", server: "s", when: "" }, tags: [] };
  const about = { ...{ id: "a-1", check, incident: "a", at: 0, since: 0 }, failures: 1 };
  const resolved = Object.keys(noticeBody({ ...about, kind: "resolved" }, "text"));
  const raised = Object.keys(noticeBody({ ...about, kind: "raised", failure: "f" }, "text", "l"));
  deepEqual(Object.keys(NOTICE_RECORD.fields).sort(), raised.sort());
  deepEqual(raised.filter((key) => !resolved.includes(key)), [...NOTICE_RECORD.optional!]);
});
