import { UsageError } from "../args.ts";
import { printResult } from "../call_output.ts";
import {
  CALL_EXIT_CODES,
  CALL_OPTIONS,
  callArguments,
  kindOfId,
  withClient,
} from "../calls/call_session.ts";
import type { Command } from "../command.ts";

/** `cancel`: cancels a job. */
export const cancel: Command = {
  usage: "cancel ID",
  description: "Cancel a job.",
  options: CALL_OPTIONS,
  examples: (program) => [
    `${program} cancel job_01h455vb4pex5vsknk084sn02q --json | jq .cancelled`,
  ],
  details: `
Servers do not stop a job that is running, and mark one that has ended as
cancelled.
${CALL_EXIT_CODES}`,
  async run(args, context) {
    const [id] = callArguments(args, "cancel", ["ID"]);
    if (kindOfId(id!) === "run") {
      throw new UsageError("cancel takes the id of a job: servers do not cancel workflow runs");
    }
    return await withClient(args, context, { writes: true }, async ({ client, limits }) => {
      await client.cancelJob(id!, limits());
      printResult({ id, cancelled: true }, args, context);
      return 0;
    });
  },
};
