import { METHOD_SCOPES } from "../../../protocol/method.ts";
import { safeJson } from "../../report/safe_text.ts";
import { CALL_EXIT_CODES, CALL_OPTIONS, callArguments, withClient } from "../calls/call_session.ts";
import { JSON_ARGUMENT, jsonArgument } from "../calls/json_argument.ts";
import type { Command } from "../command.ts";

/** `call`: calls any method of the protocol. */
export const call: Command = {
  usage: `call METHOD ${JSON_ARGUMENT}`,
  description: "Call a method of the protocol, and print the answer's data as JSON.",
  words: Object.keys(METHOD_SCOPES),
  options: CALL_OPTIONS,
  examples: (program) => [
    `${program} call job.get '{"job_id": "job_01h455vb4pex5vsknk084sn02q"}'`,
    `${program} call stats --json | jq .connections`,
  ],
  details: `
The answer is printed as it came: payloads in it are base64. With --json it is
one line.
${CALL_EXIT_CODES}`,
  async run(args, context) {
    const [method, json] = callArguments(args, "call", ["METHOD", "JSON?"]);
    const data = await jsonArgument(json, "data", context);
    const scope = (METHOD_SCOPES as Record<string, string | null>)[method!];
    const writes = !scope?.endsWith(":read");
    return await withClient(args, context, { writes }, async ({ client, limits }) => {
      const answer = await client.call(method!, data, limits()) ?? null;
      const indent = args.flags.has("json") ? undefined : 2;
      context.out.write(`${safeJson(context.mask.value(answer), indent)}\n`);
      return 0;
    });
  },
};
