import { pathKind } from "../../../runtime/file.ts";
import type { KeepLimits } from "../../health/keep.ts";
import { Notifier } from "../../notify/notifier.ts";
import type { Output } from "../../report/reporter.ts";
import type { ParsedArgs } from "../args.ts";
import type { CommandContext } from "../command.ts";
import { historyPath } from "../open_history.ts";
import { recordedServer } from "./check_plans.ts";
import { endGoneChecks } from "./gone_checks.ts";
import { HealthLog } from "./log.ts";
import { Monitor } from "./monitor.ts";
import { hearLastWords, openStore } from "./open_store.ts";
import { settingsScope, Targets } from "./open_targets.ts";
import type { HealthSettings } from "./settings.ts";

/** Settings of {@linkcode endLeftChecks}. */
export interface EndLeftChecksOptions {
  /** The command line. */
  args: ParsedArgs;
  /** The environment of the command. */
  context: CommandContext;
  /** The settings of `--health`. */
  settings: HealthSettings | undefined;
  /** The name of the server. */
  server: string;
  /** How long and how much is kept. */
  keep: KeepLimits;
  /** Where the log goes. */
  output: Output;
}

/**
 * Ends the alerts that an earlier schedule has left, when no recipe has a schedule any more: this one
 * ends, too, and no other one would.
 */
export async function endLeftChecks(options: EndLeftChecksOptions): Promise<void> {
  const { args, context, settings, keep, output } = options;
  const { clock, env, mask, random } = context;
  const path = historyPath(args, env);
  if (path === undefined || await pathKind(path) !== "file") return;
  const log = new HealthLog({ clock, output, mask, isJson: args.values.log === "json" });
  const store = await openStore(path, { clock, random, keep, log });
  try {
    const targets = new Targets(settings, settingsScope(settings, context));
    await targets.openAll();
    const over = new AbortController();
    const notifier = new Notifier({
      ...{ fetch, clock, signal: over.signal, outbox: store, targets: () => targets.all },
      onDelivery: (delivery) => monitor.tell({ type: "delivery", delivery }),
    });
    const monitor = new Monitor({
      ...{ clock, random, store, signal: over.signal, parallel: 1, wake: () => notifier.wake() },
      // It has no checks.
      run: () => Promise.resolve(undefined),
      beat: () => {},
      onCaughtUp: () => Promise.resolve(),
    });
    monitor.listen((event) => log.event(event, () => undefined));
    const server = recordedServer(options.server, mask);
    await endGoneChecks({ args, server, monitor, targets, log });
    // Also what an earlier schedule could not send any more.
    notifier.wake();
    await hearLastWords(notifier.idle(), clock, over);
    await store.retry(true);
  } finally {
    store.close();
  }
}
