// Draws a live run, and ends the process as a second Ctrl-C does: for console_end.test.ts.
import { exitNow, writeStandard } from "../../runtime/process.ts";
import { systemClock } from "../../runtime/clock.ts";
import { LiveReporter } from "../../runner/report/console/live_reporter.ts";
import { sampleRun } from "./_events.ts";

const output = {
  write: (text: string) => writeStandard("stdout", text),
  isTerminal: true,
  color: false,
  columns: 80,
};
const reporter = new LiveReporter(output, { clock: systemClock });
for (const event of sampleRun().slice(0, 6)) reporter.report(event);
setTimeout(() => exitNow(130), 200);
