import type { OptionSpecs } from "./args.ts";
import type { Command } from "./command.ts";

/** The commands in the order of the help text. A command is loaded when it is called. */
export const COMMANDS: Record<string, () => Promise<Command>> = {
  run: async () => (await import("./commands/run.ts")).run,
  check: async () => (await import("./commands/check.ts")).check,
  schedule: async () => (await import("./commands/schedule.ts")).schedule,
  list: async () => (await import("./commands/list.ts")).list,
  report: async () => (await import("./commands/report.ts")).report,
  merge: async () => (await import("./commands/merge.ts")).merge,
  manifest: async () => (await import("./commands/manifest.ts")).manifest,
  history: async () => (await import("./commands/history.ts")).history,
  dev: async () => (await import("./commands/dev.ts")).dev,
  enqueue: async () => (await import("./commands/enqueue.ts")).enqueue,
  start: async () => (await import("./commands/start.ts")).start,
  publish: async () => (await import("./commands/publish.ts")).publish,
  get: async () => (await import("./commands/get.ts")).get,
  wait: async () => (await import("./commands/wait.ts")).wait,
  watch: async () => (await import("./commands/watch.ts")).watch,
  tail: async () => (await import("./commands/tail.ts")).tail,
  cancel: async () => (await import("./commands/cancel.ts")).cancel,
  timeline: async () => (await import("./commands/timeline.ts")).timeline,
  explore: async () => (await import("./commands/explore.ts")).explore,
  record: async () => (await import("./commands/record.ts")).record,
  stats: async () => (await import("./commands/stats.ts")).stats,
  call: async () => (await import("./commands/call.ts")).call,
  admin: async () => (await import("./commands/admin.ts")).admin,
  init: async () => (await import("./commands/init.ts")).init,
  explain: async () => (await import("./commands/explain.ts")).explain,
  schema: async () => (await import("./commands/schema.ts")).schema,
  completion: async () => (await import("./commands/completion.ts")).completion,
};

/** All options of a command, `--help` included. */
export function optionsOf(command: Command): OptionSpecs {
  return { ...command.options, help: { short: "h", description: "Show this help." } };
}
