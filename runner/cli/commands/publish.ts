import { printResult } from "../call_output.ts";
import { CALL_EXIT_CODES, CALL_OPTIONS, callArguments, withClient } from "../calls/call_session.ts";
import { JSON_ARGUMENT, jsonArgument } from "../calls/json_argument.ts";
import type { Command } from "../command.ts";

/** `publish`: publishes an event for a workflow. */
export const publish: Command = {
  usage: `publish NAME ${JSON_ARGUMENT}`,
  description: "Publish an event for a workflow.",
  options: CALL_OPTIONS,
  examples: (program) => [
    `${program} publish payment-received '{"order_id": "ORD-7"}'`,
    `${program} publish payment-received @payment.json --json | jq -r .event_id`,
  ],
  details: `
The server keeps the event until a run of any workflow waits for that name.
${CALL_EXIT_CODES}`,
  async run(args, context) {
    const [name, json] = callArguments(args, "publish", ["NAME", "JSON?"]);
    const payload = await jsonArgument(json, "payload", context);
    return await withClient(args, context, { writes: true }, async ({ client, limits }) => {
      printResult(await client.publishEvent(name!, payload, limits()), args, context);
      return 0;
    });
  },
};
