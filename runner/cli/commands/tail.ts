import type { Gap } from "../../../client/gap.ts";
import { parseChannel } from "../../../protocol/channel.ts";
import type { DispatchEvent } from "../../../protocol/event.ts";
import { didYouMean } from "../../../runtime/suggest.ts";
import { Deadline, momentIn } from "../../events/deadline.ts";
import { safeJson } from "../../report/safe_text.ts";
import { type OptionSpecs, type ParsedArgs, UsageError } from "../args.ts";
import {
  CALL_EXIT_CODES,
  CALL_OPTIONS,
  callArguments,
  type CallSession,
  reportStatus,
  withClient,
} from "../calls/call_session.ts";
import { type EventCondition, eventCondition } from "../calls/event_condition.ts";
import { eventLine } from "../calls/event_line.ts";
import type { Command, CommandContext } from "../command.ts";
import { numberOption } from "../options.ts";

const OPTIONS: OptionSpecs = {
  ...CALL_OPTIONS,
  timeout: { value: "DURATION", description: "How long to listen. Default: no limit." },
  json: { description: "Print JSON, one event a line." },
  where: { value: "CEL", description: "Print only events for which this is true." },
  count: { value: "N", description: "End after N events." },
};

/** `tail`: prints events as they happen. */
export const tail: Command = {
  usage: "tail [CHANNEL]",
  description: "Print events as they happen.",
  words: ["firehose", "jobs", "workflows"],
  options: OPTIONS,
  examples: (program) => [
    `${program} tail jobs --where 'event.type == "job.failed"'`,
    `${program} tail workflows --where 'event.data.name == "order-payment"' --count 1`,
    `${program} tail --json | jq -c '[.type, .data.job_id]'`,
  ],
  details: `
Channels: firehose (the default), jobs, workflows, job:ID, workflow:ID,
queue:NAME

After a lost connection it goes on, without end. Where events may be missing it
prints a line that says so, with --json {"type": "gap", …}; --where and --count
do not apply to it. With --count it ends with 1 if there were fewer events in
time.
${CALL_EXIT_CODES}`,
  async run(args, context) {
    const [channel = "firehose"] = callArguments(args, "tail", ["CHANNEL?"]);
    if (parseChannel(channel) === undefined) {
      const hint = didYouMean(channel, ["firehose", "jobs", "workflows"]);
      throw new UsageError(`'${channel}' is not a channel${hint ? `; ${hint}` : ""}`);
    }
    const count = numberOption(args, "count", Infinity);
    const { where } = args.values;
    const accepts = where === undefined ? () => true : await eventCondition(where, context);
    const client = { maxRetries: 0 };
    return await withClient(args, context, { client }, async (session) => {
      void reportStatus(session, context);
      return await printEvents(channel, { accepts, count }, session, args, context);
    });
  },
};

async function printEvents(
  channel: string,
  { accepts, count }: { accepts: EventCondition; count: number },
  { client, waitLimits }: CallSession,
  { flags }: ParsedArgs,
  { out, mask, clock, signal }: CommandContext,
): Promise<number> {
  const { timeout } = waitLimits();
  using deadline = new Deadline(clock, momentIn(clock, timeout || Infinity), signal);
  let left = count;
  try {
    for await (const event of client.subscribe(channel, { signal: deadline.signal })) {
      const isGap = event.type === "gap";
      if (!isGap && !accepts(event)) continue;
      const shown = mask.value(event as DispatchEvent | Gap);
      out.write(`${flags.has("json") ? safeJson(shown) : eventLine(shown)}\n`);
      // Nobody reads what follows.
      if (out.isClosed || (!isGap && --left === 0)) return 0;
    }
  } catch (error) {
    if (!deadline.passed) throw error;
  }
  return left > 0 && Number.isFinite(count) ? 1 : 0;
}
