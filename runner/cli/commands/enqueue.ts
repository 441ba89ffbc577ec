import { type OptionSpecs, UsageError } from "../args.ts";
import { printResult } from "../call_output.ts";
import {
  CALL_EXIT_CODES,
  CALL_OPTIONS,
  callArguments,
  WAIT_OPTION,
  withClient,
} from "../calls/call_session.ts";
import { TYPE_OPTION } from "../calls/cell_types.ts";
import { JSON_ARGUMENT, jsonArgument } from "../calls/json_argument.ts";
import { printEnd } from "../calls/wait_for_end.ts";
import type { Command } from "../command.ts";
import { DEV_OPTIONS, numberOption } from "../options.ts";

const OPTIONS: OptionSpecs = {
  ...CALL_OPTIONS,
  ...WAIT_OPTION,
  ...DEV_OPTIONS,
  queue: { value: "QUEUE", description: "Queue of the job. Default: default." },
  priority: {
    value: "N",
    description: "Jobs with a higher number run first. Default: 0.",
  },
  from: {
    value: "FILE",
    description: "Enqueue a job for each row of a .csv or .jsonl file, each once.",
  },
  type: TYPE_OPTION,
  journal: {
    value: "FILE",
    description: "For --from: where to note what was sent. Default: FILE.journal.",
  },
  "retry-unknown": {
    description: "For --from: send rows again that may have been sent.",
  },
};

/** `enqueue`: enqueues a job. */
export const enqueue: Command = {
  usage: `enqueue NAME ${JSON_ARGUMENT}`,
  description: "Enqueue a job, or many from a file.",
  options: OPTIONS,
  examples: (program) => [
    `${program} enqueue send-email '{"to": "a@example.com", "subject": "Hi"}' --wait`,
    `${program} enqueue send-email @mail.json --queue email --json | jq -r .job_id`,
    `jq .mail order.json | ${program} enqueue send-email -`,
    `${program} enqueue send-email --from mails.csv --wait`,
    `${program} enqueue send-email @mail.json --dev jobs.ts`,
    `${program} enqueue charge --from orders.csv --type amount=number --wait`,
  ],
  details: `
A server accepts any name, also one that no worker knows: give --wait a
--timeout.
${CALL_EXIT_CODES}`,
  async run(args, context) {
    const [name, json] = callArguments(args, "enqueue", ["NAME", "JSON?"]);
    if (args.values.from !== undefined) {
      if (json !== undefined) throw new UsageError("--from takes the payloads from its file");
      if (args.values.dev !== undefined) {
        throw new UsageError("--from needs a server that goes on: run `dev FILE`, and set --url");
      }
      const { enqueueRows } = await import("../calls/enqueue_rows.ts");
      return await enqueueRows(name!, args, context);
    }
    if ("type" in args.values) throw new UsageError("--type goes with --from");
    if ("journal" in args.values || args.flags.has("retry-unknown")) {
      throw new UsageError("--journal and --retry-unknown go with --from");
    }
    const payload = await jsonArgument(json, "payload", context);
    const priority = numberOption(args, "priority", 0, 0);
    const { queue, dev } = args.values;
    if (dev !== undefined) {
      const { callWithDev } = await import("../calls/dev_client.ts");
      const own = queue === undefined ? {} : { queue };
      const request = { enqueue: name!, payload: payload ?? null, ...own };
      return await callWithDev([request], args, context, async (client, limits) => {
        return await client.enqueue(name!, payload, { ...limits, ...own, priority });
      });
    }
    return await withClient(args, context, { writes: true, hasDev: true }, async (session) => {
      const options = { ...(queue === undefined ? {} : { queue }), priority };
      const job = await session.client.enqueue(name!, payload, { ...session.limits(), ...options });
      const { job_id, queue: given, state } = job;
      if (args.flags.has("wait")) return await printEnd(job_id, job, session, args, context);
      printResult({ job_id, queue: given, state }, args, context);
      return 0;
    });
  },
};
