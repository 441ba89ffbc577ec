import { readTextFile } from "../../../runtime/file.ts";
import { plainStyle, renderPlace } from "../../language/render_diagnostic.ts";
import { Source } from "../../language/source.ts";
import { readStream, type StoredStream, StreamError } from "../../report/json/read_stream.ts";
import { UsageError } from "../args.ts";
import { checkOutputs } from "../check_outputs.ts";
import { type Command, type CommandContext, COULD_NOT_RUN } from "../command.ts";
import { REPORTER_OPTION, reporterLines } from "../reporter_option.ts";
import { openStoredReports, storedReporters } from "../stored_reports.ts";

/** The most bytes that a stream may have. */
const MAX_BYTES = 256 << 20;

/** `report`: makes reports from a stored stream. */
export const report: Command = {
  usage: "report FILE",
  description: "Make reports of a run from its stream, which --reporter jsonl=FILE has written.",
  examples: (program) => [`${program} report run.jsonl --reporter html=report.html`],
  options: {
    reporter: REPORTER_OPTION,
    quiet: { short: "q", description: "Print only failures and the summary." },
  },
  details: `
Reporters:
${reporterLines().join("\n")}

Exit codes: 0 the reports are made, whatever the run's verdict; 2 the file is
not the stream of one run; 3 a report could not be written.
`,
  async run(args, context) {
    const [file, ...rest] = args.positional;
    if (file === undefined || rest.length > 0) {
      throw new UsageError("report takes one file, which --reporter jsonl=FILE has written");
    }
    const reporters = storedReporters(args, context);
    const inputs = { recipes: [], variables: [], dev: undefined, streams: [file] };
    await checkOutputs({ reporters, history: undefined, inputs }, context);
    const stream = await openStream(file);
    warn(file, stream, context);
    const group = await openStoredReports(reporters, args, context);
    for (const event of stream.events) group.report(event);
    await group.finish();
    return group.hasFailed ? COULD_NOT_RUN : 0;
  },
};

/** Reads a file; a mistake in it is shown with its line. */
async function openStream(file: string): Promise<StoredStream> {
  const text = await readTextFile(file, "stream", MAX_BYTES);
  try {
    return readStream(text);
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    const { line, message } = error;
    const shown = new Source(file, text).line(line);
    const place = { file, line, column: 1, text: shown, length: shown.length };
    const lines = renderPlace(place, (mark) => mark, plainStyle);
    throw new UsageError([`Cannot read stream '${file}': ${message}`, ...lines].join("\n"));
  }
}

function warn(file: string, { events, tornLine }: StoredStream, { err }: CommandContext): void {
  if (tornLine !== undefined) {
    err.write(`warning: line ${tornLine} of '${file}' is cut off, so it is left out\n`);
  }
  if (events.at(-1)!.type !== "run.finished") {
    err.write(`warning: '${file}' stops before the run ended: it is shown as interrupted\n`);
  }
}
