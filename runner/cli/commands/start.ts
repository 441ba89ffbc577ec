import { UsageError } from "../args.ts";
import { unknownWorkflowHint } from "../../steps/unknown_workflow.ts";
import { printResult } from "../call_output.ts";
import { printCallError } from "../calls/call_error.ts";
import {
  CALL_EXIT_CODES,
  CALL_OPTIONS,
  callArguments,
  WAIT_OPTION,
  withClient,
} from "../calls/call_session.ts";
import { JSON_ARGUMENT, jsonArgument } from "../calls/json_argument.ts";
import { eventsToPublish, PUBLISH_OPTION, publishRequests } from "../calls/publish_option.ts";
import { printEnd } from "../calls/wait_for_end.ts";
import type { Command } from "../command.ts";
import { DEV_OPTIONS } from "../options.ts";
import { serverOptions } from "../server.ts";
import { workflowNames } from "../workflow_names.ts";

/** `start`: starts a workflow. */
export const start: Command = {
  usage: `start NAME ${JSON_ARGUMENT}`,
  description: "Start a workflow.",
  options: { ...CALL_OPTIONS, ...WAIT_OPTION, ...DEV_OPTIONS, publish: PUBLISH_OPTION },
  examples: (program) => [
    `${program} start order-pipeline '{"order_id": "ORD-7", "items": ["a"]}' --wait`,
    `${program} start order '{"id": 7}' --dev orders.ts --publish paid`,
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
    const events = await eventsToPublish(args, context);
    if (args.values.dev !== undefined) {
      const { callWithDev } = await import("../calls/dev_client.ts");
      const requests = [
        { start: name!, input: input === undefined ? {} : input },
        ...publishRequests(events),
      ];
      return await callWithDev(requests, args, context, async (client, limits) => {
        const run = await client.startWorkflow(name!, input, limits);
        for (const event of events) await client.publishEvent(event.name, event.payload, limits);
        return run;
      });
    }
    if (events.length > 0) throw new UsageError("--publish goes with --dev; else call publish");
    return await withClient(args, context, { writes: true, hasDev: true }, async (session) => {
      let run;
      try {
        run = await session.client.startWorkflow(name!, input, session.limits());
      } catch (error) {
        const code = printCallError(error, true, context);
        const hint = await unknownWorkflowHint(
          error,
          name!,
          () => workflowNames(serverOptions(args, context.env), context.signal),
        );
        if (hint !== undefined) context.err.write(`${context.mask.text(hint)}\n`);
        return code;
      }
      const { run_id, state } = run;
      if (args.flags.has("wait")) return await printEnd(run_id, run, session, args, context);
      printResult({ run_id, name, state }, args, context);
      return 0;
    });
  },
};
