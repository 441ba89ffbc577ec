import { printResult } from "../call_output.ts";
import {
  CALL_EXIT_CODES,
  CALL_OPTIONS,
  callArguments,
  kindOfId,
  withClient,
} from "../calls/call_session.ts";
import type { Command } from "../command.ts";

/** `get`: prints the record of a job or a run. */
export const get: Command = {
  usage: "get ID",
  description: "Print a job or a workflow run.",
  options: CALL_OPTIONS,
  examples: (program) => [
    `${program} get job_01h455vb4pex5vsknk084sn02q`,
    `${program} get wfrun_01h455vb4pex5vsknk084sn02q --json | jq .output`,
  ],
  details: `
${CALL_EXIT_CODES}`,
  async run(args, context) {
    const [id] = callArguments(args, "get", ["ID"]);
    const isJob = kindOfId(id!) === "job";
    return await withClient(args, context, {}, async ({ client, limits }) => {
      const record = isJob
        ? await client.getJob(id!, limits())
        : await client.getWorkflow(id!, limits());
      printResult(record, args, context);
      return 0;
    });
  },
};
