import { needsStandardOutput } from "../../report/registry.ts";
import { DEFAULT_KEEP } from "../../health/keep.ts";
import { parseDuration } from "../../language/duration.ts";
import { formatTime } from "../../notify/message.ts";
import type { Output } from "../../report/reporter.ts";
import { windowAt } from "../../schedule/calendar.ts";
import { type ParsedArgs, UsageError } from "../args.ts";
import { type Command, INVALID, NOTHING_TO_DO } from "../command.ts";
import { type CheckPlan, checkPlans } from "../health/check_plans.ts";
import { unknownReceivers } from "../health/settings.ts";
import { listenOption } from "../health/listen_option.ts";
import { hasErrors, readSettingsOption, settingsOption } from "../health/settings_option.ts";
import { formatOption } from "../options.ts";
import { makePlan } from "../plan.ts";
import { printDiagnostics } from "../print_diagnostics.ts";
import { randomOption, RUN_OPTIONS } from "../run_options.ts";
import { publicUrl, remoteServer, serverOptions } from "../server.ts";

const LEFT_OUT = [
  ...["only", "from", "bail", "shard", "repeat", "watch", "last-failed", "clock"],
  ...["history", "parallel"],
];

/** The options that it shares with `run`. */
const SHARED = Object.fromEntries(
  Object.entries(RUN_OPTIONS).filter(([name]) => !LEFT_OUT.includes(name)),
);

/** How many scheduled times a dry run prints for each recipe. */
const PRINTED_TIMES = 5;

/** `schedule`: runs recipes on their schedules. */
export const schedule: Command = {
  usage: "schedule [file | directory]…",
  description: "Run recipes on their schedules until interrupted.",
  examples: (program) => [
    `${program} schedule recipes/ --dry-run`,
    `${program} schedule recipes/ --url wss://example.com/dwp --history health.db`,
    `${program} schedule recipes/ --health health.yaml --listen 127.0.0.1:9600`,
    `${program} schedule recipes/ --health health.yaml --test-alert ops`,
  ],
  options: {
    ...SHARED,
    health: { value: "FILE", description: "Settings: targets of alerts, defaults, routes." },
    history: {
      value: "FILE",
      description: "Keep runs, incidents and alerts in FILE. Default: DISPATCH_HISTORY, or memory.",
    },
    keep: {
      value: "LIMIT",
      repeat: true,
      description: "How long and how much is kept: 90d, 500mb. Default: 90d.",
    },
    parallel: { value: "N", description: "Run up to N recipes at the same time. Default: 10." },
    log: {
      value: "FORMAT",
      choices: ["text", "json"],
      description: "How to write what happens: text, or json (one object a line).",
    },
    listen: { value: "ADDRESS", description: "Serve a page, an API and metrics: 127.0.0.1:9600." },
    public: { description: "Let everybody see the page, without details." },
    "public-url": { value: "URL", description: "The address of the page behind a proxy." },
    "test-alert": { value: "TARGET", description: "Send a test to a target and exit." },
    "dry-run": { description: "Print the next scheduled times and exit." },
  },
  details: `
Exit codes: 0 interrupted between runs; 130 interrupted during a run;
2 invalid recipe, settings or command line; 3 a test alert was not delivered;
4 no recipe has a schedule.
`,
  async run(args, context) {
    const { env, clock, out, err, mask } = context;
    const testAlert = args.values["test-alert"];
    if (args.positional.length === 0 && testAlert === undefined) {
      throw new UsageError("Nothing to run: name a recipe or directory");
    }
    const { url, token, dev } = serverOptions(args, env);
    if (url !== undefined && !URL.canParse(url)) {
      throw new UsageError(`'${publicUrl(url)}' is not a URL`);
    }
    const keep = keepOption(args);
    const { log = "text" } = args.values;
    if (log !== "text" && log !== "json") {
      throw new UsageError(`--log must be text or json, not '${log}'`);
    }
    const listen = listenOption(args, env);
    if (testAlert !== undefined) {
      const settings = await settingsOption(args, context);
      if (typeof settings === "number") return settings;
      const { sendTestAlert } = await import("../health/test_alert.ts");
      return await sendTestAlert(testAlert, settings, context);
    }
    const { settings, diagnostics } = await readSettingsOption(args, context);
    const { fileMarks } = await import("../health/reload.ts");
    const before = await fileMarks(args.positional);
    const plan = await makePlan(args, {
      ...context,
      onDiagnostics: (found) => void diagnostics.push(...found),
      // One that cannot be written now is no reason not to check anything.
      opensHistoryLater: true,
    });
    const isPlanned = typeof plan !== "number";
    // Without the settings, nothing is known of their targets.
    if (isPlanned && !hasErrors(diagnostics)) {
      diagnostics.push(...unknownReceivers(plan.cases.map(({ recipe }) => recipe), settings));
    }
    const masked: Output = { ...out, write: (text, kind) => out.write(mask.text(text), kind) };
    await printDiagnostics(diagnostics, formatOption(args, env), { ...context, out: masked });
    if (hasErrors(diagnostics)) return INVALID;
    if (url !== undefined) mask.add(token);
    mask.add(listen?.token ?? "");
    const server = url === undefined ? undefined : remoteServer(url, token);
    const name = server?.name ?? "embedded";
    const isDryRun = args.flags.has("dry-run");
    const endLeft = async () => {
      if (isDryRun) return;
      const { endLeftChecks } = await import("../health/end_left_checks.ts");
      await endLeftChecks({ args, context, settings, server: name, keep, output: out });
    };
    if (!isPlanned) {
      if (plan === NOTHING_TO_DO) await endLeft();
      return plan;
    }
    const random = randomOption(args, context);
    const ambient = { now: () => clock.now(), random };
    const plansOf = (cases: typeof plan.cases) =>
      checkPlans(cases, { ambient, env, mask, settings, server: name });
    const checks = plansOf(plan.cases);
    if (checks.length === 0) {
      err.write("Nothing to run: no recipe has a `schedule`\n");
      await endLeft();
      return NOTHING_TO_DO;
    }
    if (isDryRun) {
      for (const check of checks) out.write(mask.text(timesOf(check, clock.now())));
      return 0;
    }
    const { runSchedule } = await import("../health/run_schedule.ts");
    return await runSchedule(checks, {
      ...{ args, context, plan, before, plansOf, settings, server, dev, keep, random, ambient },
      listen,
      output: plan.reporters.some(needsStandardOutput) ? err : out,
    });
  },
};

/**
 * Reads `--keep`: a duration, a size, or both.
 * @throws {UsageError}
 */
function keepOption({ lists }: ParsedArgs): { ms: number; bytes?: number } {
  const keep: { ms: number; bytes?: number } = { ms: DEFAULT_KEEP };
  for (const text of lists.keep ?? []) {
    const [, number, unit] = /^(\d+(?:\.\d+)?)(kb|mb|gb)$/i.exec(text) ?? [];
    const ms = parseDuration(text);
    if (ms !== undefined && ms > 0) keep.ms = ms;
    else if (unit !== undefined && Number(number) > 0) {
      keep.bytes = Number(number) * 1000 ** (["kb", "mb", "gb"].indexOf(unit.toLowerCase()) + 1);
    } else {
      const wanted = "a duration or a size such as 90d or 500mb";
      throw new UsageError(`--keep must be ${wanted}, not '${text}'`);
    }
  }
  return keep;
}

/** The next times of a check, as a dry run prints them. */
function timesOf({ key, file, jitter, next, maintenance }: CheckPlan, now: number): string {
  const later = jitter > 0 ? `, up to ${jitter / 1000} s later` : "";
  // The time zone of a cron pattern is in parentheses.
  const when = key.when.endsWith(")") ? `${key.when.slice(0, -1)}${later})` : key.when + later;
  const lines = [`${key.name}  ${file}  ${when}`];
  let at: number | undefined = now;
  for (let i = 0; i < PRINTED_TIMES; i++) {
    at = next(at);
    if (at === undefined) break;
    const isSkipped = windowAt(maintenance, at) !== undefined;
    lines.push(`  ${formatTime(at)}${isSkipped ? "  skipped: maintenance" : ""}`);
  }
  return lines.join("\n") + "\n";
}
