import { equal, match, ok, rejects } from "node:assert/strict";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openReporter } from "../../runner/report/otel/otel.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { ROOT } from "../project/sources.ts";
import { RunnerProcess } from "../runner/_process.ts";
import { runRecipe } from "../runner/_recipe.ts";
import { Collector } from "./_collector.ts";
import { sampleRun } from "./_events.ts";

const RECIPE = "name: One\nsteps: [{ assert: 1 == 1 }]\n";
const SECRET = "Bearer very-secret";

/** Runs a recipe that passes, exporting with these settings. */
function runExporting(env: Record<string, string>, args: string[] = []) {
  return runRecipe(RECIPE, args, {
    env: { OTEL_EXPORTER_OTLP_HEADERS: `authorization=${encodeURIComponent(SECRET)}`, ...env },
  });
}

/** An address with credentials in it, in each place where some can be. */
function secretUrl(url: string): string {
  const { host } = new URL(url);
  return `http://user-secret:pass-secret@${host}?key=query-secret`;
}

function holdsNoSecret(text: string): void {
  ok(!text.includes("secret"), text);
}

test("a collector that answers 500 is told of, without what is secret", async () => {
  await using collector = await Collector.start();
  collector.answer = 500;
  const { code, err, events } = await runExporting({
    OTEL_EXPORTER_OTLP_ENDPOINT: secretUrl(collector.url),
  });
  equal(code, 0);
  equal(events.at(-1)?.type, "run.finished");
  match(
    err,
    /^warning: reporter otel failed: Cannot export traces to 'http:\/\/127\.0\.0\.1:\d+\/v1\/traces': 500 Internal Server Error; Cannot export metrics to /m,
  );
  equal(err.match(/^warning/gm)?.length, 1);
  holdsNoSecret(err);
  equal(collector.requests[0]?.headers.authorization !== undefined, true);
});

test("a collector that refuses the connection is told of", async () => {
  const gone = await Collector.start();
  const url = secretUrl(gone.url);
  await gone[Symbol.asyncDispose]();
  const { code, err } = await runExporting({
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_TIMEOUT: "200",
  });
  equal(code, 0);
  match(err, /^warning: reporter otel failed: Cannot export traces to .*ECONNREFUSED/m);
  holdsNoSecret(err);
});

test("a collector that never answers is hung up on after five seconds of the clock", async () => {
  await using collector = await Collector.start();
  collector.answer = "nothing";
  const clock = new FakeClock();
  const env: Record<string, string> = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  const reporter = await openReporter({ clock, env: (name) => env[name] });
  for (const event of sampleRun()) reporter.report(event);
  const finished = Promise.resolve(reporter.finish!());
  await collector.received(2);
  clock.advance(4999);
  equal(clock.pending, 2);
  clock.advance(1);
  await rejects(finished, /Cannot export traces to .*: no answer within 5000 ms; .* metrics/);
  equal(clock.pending, 0);
});

test("OTEL_EXPORTER_OTLP_TIMEOUT is a shorter limit", async () => {
  await using collector = await Collector.start();
  collector.answer = "nothing";
  const { code, err } = await runExporting({
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_TIMEOUT: "100",
    OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: "50",
  });
  equal(code, 0);
  match(err, /traces to .*: (no answer within 100 ms|Request timed out); .* metrics/);
});

test("a failed run stays failed", async () => {
  await using collector = await Collector.start();
  collector.answer = 500;
  const { code } = await runRecipe("name: x\nsteps: [{ assert: 1 == 2 }]\n", [], {
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url },
  });
  equal(code, 1);
});

test("settings that cannot be followed are told of without their values", async () => {
  for (const url of ["secret-host:4318", "ftp://secret/", "secret"]) {
    const { code, err } = await runExporting({ OTEL_EXPORTER_OTLP_ENDPOINT: url });
    equal(code, 0);
    match(err, /^warning: reporter otel failed: Cannot use OTEL_EXPORTER_OTLP_ENDPOINT/m);
    holdsNoSecret(err);
  }
  const { code, err } = await runExporting({
    OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:4317",
    OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
  });
  equal(code, 0);
  match(err, /Cannot export over grpc/);
});

test("the reporter has a name, and writes no file", async () => {
  await using collector = await Collector.start();
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
  equal((await runExporting(env, ["--reporter", "otel"])).code, 0);
  equal(collector.requests.length, 2);
  const { code, err } = await runExporting(env, ["--reporter", "otel=x"]);
  equal(code, 2);
  match(err, /Reporter otel does not write a file/);
});

test("a process ends by itself, whatever the collector does", async () => {
  await using collector = await Collector.start();
  const run = async (answer: typeof collector.answer, env: Record<string, string> = {}) => {
    collector.answer = answer;
    const child = new RunnerProcess(["runner.ts", "recipes/order-smoke.yaml", "--quiet"], {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_TIMEOUT: "400",
      ...env,
    });
    equal(await child.exit(), 0, child.output);
    return child.output;
  };
  ok(!(await run(200)).includes("warning"));
  equal(collector.span("Order smoke").status.code, 1);
  match(await run("nothing"), /warning: reporter otel failed/);
  match(await run(503), /warning: reporter otel failed/);
  // Deno exports by itself when it is asked to; it gets along with this.
  ok(!(await run(200, { OTEL_DENO: "true" })).includes("warning"));
});

test("without the packages a run is told so, and goes on", async () => {
  const folder = await mkdtemp(join(tmpdir(), "no-otel-"));
  try {
    for (const part of ["runner", "runtime", "client", "protocol", "dev", "runner.ts"]) {
      await cp(join(ROOT, part), join(folder, part), { recursive: true });
    }
    const { imports, ...deno } = JSON.parse(await readFile(join(ROOT, "deno.json"), "utf8"));
    for (const name of Object.keys(imports)) {
      if (name.startsWith("@opentelemetry/")) delete imports[name];
    }
    await writeFile(join(folder, "deno.json"), JSON.stringify({ ...deno, imports, lock: false }));
    await cp(join(ROOT, "package.json"), join(folder, "package.json"));
    await mkdir(join(folder, "node_modules"));
    for (const name of await readdir(join(ROOT, "node_modules"))) {
      if (name === "@opentelemetry") continue;
      await symlink(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
    }
    await writeFile(join(folder, "r.yaml"), RECIPE);
    const child = new RunnerProcess([join(folder, "runner.ts"), join(folder, "r.yaml")], {
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
    });
    equal(await child.exit(), 0, child.output);
    match(child.output, /warning: reporter otel failed: Cannot load OpenTelemetry: install /);
    match(child.output, /1 passed/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
