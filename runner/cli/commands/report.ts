import { plainStyle, renderPlace } from "../../language/render_diagnostic.ts";
import type { RecipeEvent } from "../../events/event.ts";
import { readEvents, StreamError, StreamReader } from "../../report/json/read_stream.ts";
import type { ReporterRequest } from "../../report/registry.ts";
import { type ParsedArgs, UsageError } from "../args.ts";
import { checkOutputs } from "../check_outputs.ts";
import { type Command, type CommandContext, COULD_NOT_RUN } from "../command.ts";
import { REPORTER_OPTION, reporterLines } from "../reporter_option.ts";
import { heldOutput, openStoredReports, sendsAtOnce, storedReporters } from "../stored_reports.ts";

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
    try {
      return await makeReports(file, reporters, args, context);
    } catch (error) {
      if (!(error instanceof StreamError)) throw error;
      throw new UsageError(describe(error, file));
    }
  },
};

async function makeReports(
  file: string,
  reporters: readonly ReporterRequest[],
  args: ParsedArgs,
  context: CommandContext,
): Promise<number> {
  const reader = new StreamReader(file);
  const events = readEvents(file, reader);
  // A file could be read twice, but not a pipe.
  const known = reporters.some(sendsAtOnce) ? await allOf(events) : undefined;
  const held = known ? undefined : heldOutput(context.out);
  const group = await openStoredReports(reporters, args, {
    ...context,
    out: held ?? context.out,
  });
  try {
    for await (const some of known ?? events) {
      for (const event of some) {
        group.report(event);
        const backlog = group.backlog();
        if (backlog) await backlog;
      }
    }
  } catch (error) {
    group.abandon();
    throw error;
  }
  warn(file, reader, context);
  await group.finish();
  held?.release();
  return group.hasFailed ? COULD_NOT_RUN : 0;
}

async function allOf(events: AsyncIterable<Iterable<RecipeEvent>>): Promise<RecipeEvent[][]> {
  const all: RecipeEvent[] = [];
  for await (const some of events) all.push(...some);
  return [all];
}

/** Describes a mistake in a stream, and shows its line. */
function describe({ line, text, message }: StreamError, file: string): string {
  // To show what is no text helps nobody.
  if (/[\0\ufffd]/.test(text)) return `Cannot read stream '${file}': ${message}`;
  const shown = text.replace(/\r$/, "");
  const place = { file, line, column: 1, text: shown, length: shown.length };
  const lines = renderPlace(place, (mark) => mark, plainStyle);
  return [`Cannot read stream '${file}': ${message}`, ...lines].join("\n");
}

function warn(file: string, { tornLine, hasEnded }: StreamReader, { err }: CommandContext): void {
  if (tornLine !== undefined) {
    err.write(`warning: line ${tornLine} of '${file}' is cut off, so it is left out\n`);
  }
  if (!hasEnded) {
    err.write(`warning: '${file}' stops before the run ended: it is shown as interrupted\n`);
  }
}
