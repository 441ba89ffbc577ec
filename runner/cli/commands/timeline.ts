import type { TimelineEntry } from "../../../protocol/entity.ts";
import { UsageError } from "../args.ts";
import { printResult, valueText } from "../call_output.ts";
import {
  CALL_EXIT_CODES,
  CALL_OPTIONS,
  callArguments,
  kindOfId,
  withClient,
} from "../calls/call_session.ts";
import type { Command } from "../command.ts";

/** `timeline`: prints the checkpoints of a run. */
export const timeline: Command = {
  usage: "timeline ID",
  description: "List the checkpoints of a workflow run: steps, events and sleeps.",
  options: CALL_OPTIONS,
  examples: (program) => [
    `${program} timeline wfrun_01h455vb4pex5vsknk084sn02q`,
    `${program} timeline wfrun_01h455vb4pex5vsknk084sn02q --json | jq -r .step_name`,
  ],
  details: `
An unknown run has no checkpoints. A step that failed has none, either.
${CALL_EXIT_CODES}`,
  async run(args, context) {
    const [id] = callArguments(args, "timeline", ["ID"]);
    if (kindOfId(id!) === "job") throw new UsageError("timeline takes the id of a workflow run");
    return await withClient(args, context, {}, async ({ client, limits }) => {
      const entries = await client.workflowTimeline(id!, limits());
      printResult(entries, args, context, (entry) => entryLine(entry as TimelineEntry));
      return 0;
    });
  },
};

function entryLine({ created_at, step_name, data }: TimelineEntry): string {
  const shown = data === undefined || data === null ? "" : `  ${valueText(data)}`;
  return `${valueText(created_at)}  ${valueText(step_name)}${shown}`;
}
