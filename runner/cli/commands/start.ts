import { printResult } from "../call_output.ts";
import {
  CALL_EXIT_CODES,
  CALL_OPTIONS,
  callArguments,
  WAIT_OPTION,
  withClient,
} from "../calls/call_session.ts";
import { JSON_ARGUMENT, jsonArgument } from "../calls/json_argument.ts";
import { printEnd } from "../calls/wait_for_end.ts";
import type { Command } from "../command.ts";

/** `start`: starts a workflow. */
export const start: Command = {
  usage: `start NAME ${JSON_ARGUMENT}`,
  description: "Start a workflow.",
  options: { ...CALL_OPTIONS, ...WAIT_OPTION },
  examples: (program) => [
    `${program} start order-pipeline '{"order_id": "ORD-7", "items": ["a"]}' --wait`,
    `${program} start sleeper '{"ms": 5000}' --json | jq -r .run_id`,
  ],
  details: `
It prints the run while the workflow runs. With an input that is a number, a
boolean, null or a text of less than 48 characters it prints it when the run has
ended.
${CALL_EXIT_CODES}`,
  async run(args, context) {
    const [name, json] = callArguments(args, "start", ["NAME", "JSON?"]);
    const input = await jsonArgument(json, "input", context);
    return await withClient(args, context, { writes: true }, async (session) => {
      const run = await session.client.startWorkflow(name!, input, session.limits());
      const { run_id, state } = run;
      if (args.flags.has("wait")) return await printEnd(run_id, run, session, args, context);
      printResult({ run_id, name, state }, args, context);
      return 0;
    });
  },
};
