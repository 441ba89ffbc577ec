/** Which rooms a room may import from, besides itself. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "protocol": [],
  "runtime": [],

  "client basics": ["protocol", "runtime"],
  "client/connection": ["client basics", "protocol", "runtime"],
  "client/subscribe": ["client basics", "client/connection", "protocol", "runtime"],
  "client/follow": ["client basics", "client/connection", "protocol", "runtime"],
  "client calls": [
    "client basics",
    "client/connection",
    "client/follow",
    "client/subscribe",
    "protocol",
    "runtime",
  ],
  "client/start": [
    "client basics",
    "client calls",
    "client/connection",
    "client/follow",
    "client/subscribe",
    "protocol",
    "runtime",
  ],
  "client/http": [
    "client basics",
    "client calls",
    "client/connection",
    "client/follow",
    "client/subscribe",
    "protocol",
    "runtime",
  ],
  "client": [
    "client basics",
    "client calls",
    "client/connection",
    "client/follow",
    "client/start",
    "client/subscribe",
    "protocol",
    "runtime",
  ],
  "mod.ts": [
    "client",
    "client basics",
    "client calls",
    "client/http",
    "client/subscribe",
    "protocol",
    "runtime",
  ],

  "dev basics": ["protocol", "runtime"],
  "dev/go": ["protocol"],
  "dev/listen": ["runtime"],
  "dev/engine": ["dev basics", "dev/go", "protocol", "runtime"],
  "dev/faults": ["dev basics", "dev/engine", "dev/listen", "runtime"],
  "dev/wire": [
    "dev basics",
    "dev/engine",
    "dev/faults",
    "dev/go",
    "dev/listen",
    "protocol",
    "runtime",
  ],
  "dev": [
    "dev basics",
    "dev/engine",
    "dev/faults",
    "dev/listen",
    "dev/wire",
    "protocol",
    "runtime",
  ],
  "testing": ["client", "client basics", "dev", "dev basics", "protocol", "runtime"],

  "runner/expression": ["protocol"],
  "runner/language": ["runner/expression", "runtime"],
  "runner/events": ["protocol", "runner/expression", "runner/language", "runtime"],
  "runner/steps": [
    "client",
    "client basics",
    "protocol",
    "runner/events",
    "runner/expression",
    "runner/language",
    "runtime",
  ],
  "runner/recipe": [
    "protocol",
    "runner/expression",
    "runner/language",
    "runner/steps",
    "runtime",
  ],
  "runner/engine": [
    "client basics",
    "protocol",
    "runner/events",
    "runner/expression",
    "runner/language",
    "runner/recipe",
    "runner/steps",
    "runtime",
  ],
  "runner/script": [
    "client basics",
    "protocol",
    "runner/engine",
    "runner/events",
    "runner/expression",
    "runner/language",
    "runner/steps",
    "runtime",
  ],
  "runner/report basics": ["runner/events", "runner/language", "runtime"],
  "runner/report": [
    "runner/engine",
    "runner/events",
    "runner/language",
    "runner/report basics",
    "runner/steps",
    "runtime",
  ],
  "runner/merge": ["runner/engine", "runner/events", "runner/report", "runtime"],
  "runner/history": ["runner/events", "runtime"],
  "runner/schedule": ["runtime"],
  "runner/cli": [
    "client",
    "client basics",
    "client/http",
    "protocol",
    "runner/engine",
    "runner/events",
    "runner/expression",
    "runner/history",
    "runner/language",
    "runner/merge",
    "runner/recipe",
    "runner/report",
    "runner/report basics",
    "runner/schedule",
    "runner/script",
    "runner/steps",
    "runtime",
  ],
  "runner": [
    "runner/cli",
    "runner/events",
    "runner/language",
    "runner/recipe",
    "runner/report",
    "runner/report basics",
    "runner/script",
    "runner/steps",
  ],
  "runner.ts": ["runner/cli"],
};

/** Which rooms may be imported too, but only by `import()`. */
export const MAY_IMPORT_LATER: Readonly<Record<string, readonly string[]>> = {
  "runner/cli": ["dev", "dev basics"],
};

/** Files that the folders beside them import. Other files are in the room of their folder. */
const FILES: Record<string, readonly string[]> = {
  "client basics": [
    "client/backoff.ts",
    "client/definitions.ts",
    "client/errors.ts",
    "client/gap.ts",
    "client/limits.ts",
    "client/hooks.ts",
    "client/options.ts",
    "client/status.ts",
  ],
  "client calls": [
    "client/calls.ts",
    "client/job.ts",
    "client/run.ts",
    "client/session.ts",
    "client/status_feed.ts",
  ],
  "dev basics": [
    "dev/backoff.ts",
    "dev/context.ts",
    "dev/cron_pattern.ts",
    "dev/cron_schedule.ts",
    "dev/define.ts",
    "dev/duration.ts",
    "dev/faults/fault.ts",
    "dev/option_rules.ts",
    "dev/options.ts",
    "dev/options_error.ts",
    "dev/quirks.ts",
    "dev/schema.ts",
    "dev/store.ts",
    "dev/tokens.ts",
    "dev/work.ts",
  ],
  "runner/report basics": [
    "runner/report/plain_text.ts",
    "runner/report/reporter.ts",
    "runner/report/run_summary.ts",
    "runner/report/safe_text.ts",
    "runner/report/summarizer.ts",
    "runner/report/terminal.ts",
  ],
};

const ROOM_OF_FILE = new Map(
  Object.entries(FILES).flatMap(([room, files]) => files.map((file) => [file, room] as const)),
);

/** The room of a file: its own, or that of the nearest folder which is one. */
export function roomOf(path: string): string | undefined {
  const own = ROOM_OF_FILE.get(path);
  if (own !== undefined) return own;
  for (let room = path; room !== ""; room = room.replace(/(^|\/)[^/]*$/, "")) {
    if (room in MAY_IMPORT) return room;
  }
  return undefined;
}
