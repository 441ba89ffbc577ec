import { deepEqual, equal, match } from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { systemClock } from "../../runtime/clock.ts";
import { type CliResult, runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";
import { Receiver } from "./_receiver.ts";

const RECIPE = 'name: Rare\nschedule: { every: 1d, jitter: 2s }\nsteps: [{ assert: "true" }]\n';

/** Runs `schedule` with a file of settings. */
function schedule(
  settings: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<CliResult> {
  return withFiles({ "r.yaml": RECIPE, "health.yaml": settings }, (directory) =>
    runnerCli(
      ["schedule", join(directory, "r.yaml"), "--health", join(directory, "health.yaml"), ...args],
      // A fake clock would let the time limit of a request pass.
      { env, clock: systemClock },
    ));
}

test("a test alert says that it is one, and is resolved as the same incident", async () => {
  await using receiver = await Receiver.start(200);
  const settings = `targets: { ops: { webhook: { url: ${receiver.url} } } }\n`;
  const { code, out } = await schedule(settings, ["--test-alert", "ops"]);
  equal(code, 0);
  equal(out, "ops has taken the test: raised\nops has taken the test: resolved\n");
  const bodies = receiver.received.map(({ body }) => JSON.parse(body));
  deepEqual(bodies.map(({ type }) => type), ["raised", "resolved"]);
  for (const { text } of bodies) match(text, /^TEST /);
  equal(bodies[0].incident, bodies[1].incident);
});

test("what a target or the heartbeat lacks is told before anything runs", async () => {
  const settings = "secrets: [KEY]\ntargets: { ops: { webhook: { url: $KEY } } }\n"
    .replace("$KEY", '"${{ secrets.KEY }}"');
  const secret = await schedule(settings, ["--test-alert", "ops"]);
  equal(secret.code, 2);
  match(secret.err, /^error: Cannot use target 'ops': Cannot find secret KEY in the environment\n/);
  const address = await schedule(settings, ["--test-alert", "ops"], { KEY: "s3cret" });
  equal(address.code, 2);
  match(address.err, /^error: Cannot use target 'ops': `url` must be an HTTP address\n/);
  const mail = await schedule("parallel: 2\n", ["--test-alert", "a@example.com"]);
  equal(mail.code, 2);
  match(
    mail.err,
    /^error: there is no mail server for `a@example\.com`: add `mail: \{smtp, from\}`/,
  );
  const beat = await schedule('secrets: [KEY]\nheartbeat: "${{ secrets.KEY }}"\n', []);
  equal(beat.code, 2);
  match(beat.err, /^error: Cannot use the heartbeat of the settings: Cannot find secret KEY/);
});

test("an empty access token is told before anything runs", async () => {
  const url = ["--url", "ws://127.0.0.1:1/dwp"];
  for (
    const [args, env] of [[[...url, "--token="], {}], [url, { DISPATCH_TOKEN: "" }]] as const
  ) {
    const { code, out, err } = await schedule("parallel: 2\n", args, env);
    equal(code, 2);
    equal(out, "");
    match(err, /^error: The access token of --token or DISPATCH_TOKEN is empty\n/);
  }
});

test("a recipe's own `after` counts, whatever `within` of the defaults says", async () => {
  const recipe = `name: Down
schedule: { every: 1s }
alert: { after: 2 }
steps: [{ assert: "false" }]
`;
  const files = { "r.yaml": recipe, "health.yaml": "defaults: { within: 50 of 1h }\n" };
  const stop = new AbortController();
  let runs = 0;
  const { out } = await withFiles(files, (directory) =>
    runnerCli(
      ["schedule", join(directory, "r.yaml"), "--health", join(directory, "health.yaml")],
      {
        signal: stop.signal,
        onOut: (text) => {
          if (text.includes("run started")) runs++;
          if (text.includes("ALERT") || runs === 5) stop.abort();
        },
      },
    ));
  match(out, /ALERT Down has failed 2 times since /);
});

test("a dry run prints the jitter of `every`, and a file of no size is refused", async () => {
  const { code, out } = await schedule("parallel: 2\n", ["--dry-run"]);
  equal(code, 0);
  match(out, /^Rare {2}.*r\.yaml {2}every 1d, up to 2 s later\n/);
  const size = await schedule("parallel: 2\n", ["--dry-run", "--keep", "0mb"]);
  equal(size.code, 2);
  match(size.err, /--keep must be a duration or a size such as 90d or 500mb, not '0mb'/);
});
