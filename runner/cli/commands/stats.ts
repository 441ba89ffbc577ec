import { printResult } from "../call_output.ts";
import { CALL_EXIT_CODES, CALL_OPTIONS, callArguments, withClient } from "../calls/call_session.ts";
import type { Command } from "../command.ts";

/** `stats`: prints the statistics of a server. */
export const stats: Command = {
  usage: "stats",
  description: "Print the statistics of a server.",
  options: CALL_OPTIONS,
  examples: (program) => [
    `${program} stats --url wss://dispatch.example.com/dwp`,
    `${program} stats --json | jq .broker.subscriber_count`,
  ],
  details: `
They are about channels and subscribers. The command \`admin stats\` counts jobs
and runs.
${CALL_EXIT_CODES}`,
  async run(args, context) {
    callArguments(args, "stats", []);
    return await withClient(args, context, {}, async ({ client, limits }) => {
      printResult(await client.stats(limits()), args, context);
      return 0;
    });
  },
};
