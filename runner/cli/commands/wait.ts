import {
  CALL_EXIT_CODES,
  CALL_OPTIONS,
  callArguments,
  kindOfId,
  withClient,
} from "../calls/call_session.ts";
import { printEnd } from "../calls/wait_for_end.ts";
import type { Command } from "../command.ts";

/** `wait`: waits until a job or a run has ended. */
export const wait: Command = {
  usage: "wait ID",
  description: "Wait until a job or a workflow run has ended, and print it.",
  options: CALL_OPTIONS,
  examples: (program) => [
    `${program} wait job_01h455vb4pex5vsknk084sn02q --timeout 5m`,
    `${program} wait wfrun_01h455vb4pex5vsknk084sn02q --json | jq -r .state`,
  ],
  details: `
A job or run that fails is printed too, and the exit code is 1.
${CALL_EXIT_CODES}`,
  async run(args, context) {
    const [id] = callArguments(args, "wait", ["ID"]);
    const isJob = kindOfId(id!) === "job";
    return await withClient(args, context, {}, async (session) => {
      const handle = isJob ? session.client.job(id!) : session.client.run(id!);
      return await printEnd(id!, handle, session, args, context);
    });
  },
};
