// Exits like a second Ctrl-C once the live board is on the screen; console_live.test.ts runs it.
import { systemClock } from "../../runtime/clock.ts";
import { exitNow, writeStandard } from "../../runtime/process.ts";
import { LiveReporter } from "../../runner/report/console/live_reporter.ts";
import { sampleRun } from "./_events.ts";

const output = {
  write(text: string) {
    writeStandard("stdout", text);
    // The progress bar is the last part of the board.
    if (text.includes("0/7")) queueMicrotask(() => exitNow(130));
  },
  isTerminal: true,
  color: false,
  columns: 80,
};
const reporter = new LiveReporter(output, { clock: systemClock });
for (const event of sampleRun().slice(0, 6)) reporter.report(event);
