import { startStopwatch } from "../events/deadline.ts";
import { StepFailure } from "../events/failure.ts";
import type { LoggedEvent } from "../events/results.ts";
import { needsBreak, takeBreak } from "../expression/budget.ts";
import type { Expression } from "../expression/expression.ts";
import { literal, type Template } from "../expression/template.ts";
import { formatDuration } from "../language/duration.ts";
import { type Field, record, required } from "../language/field.ts";
import { integer } from "../language/value_fields.ts";
import {
  channelName,
  describeUnknownNames,
  eventCondition,
  matchesEvent,
  openChannel,
} from "./_channel_events.ts";
import type { EventLog, RunnerClient, StepContext, StepOutcome } from "./context.ts";

/** A wait for events of a channel. */
export interface ChannelWait {
  /** The channel. */
  channel: Template;
  /** The condition that an event must meet to count. */
  where?: Expression;
  /** The number of events to wait for. */
  count?: Template;
}

/** The keys of a wait for events of a channel. */
export const channelWait: Field<ChannelWait, false> = record(
  "Events of a channel since the recipe began.",
  {
    channel: required(channelName()),
    where: eventCondition("Which events count: an expression over `event`."),
    count: integer("The number of events to wait for; default: 1.", { minimum: 1 }),
  },
  "a wait on a channel",
);

/** Waits until enough events of a channel have arrived since the recipe began. */
export async function waitOnChannel(
  step: ChannelWait,
  context: StepContext,
): Promise<StepOutcome> {
  const { clock } = context;
  const count = context.number(step.count ?? literal(1));
  if (count < 1) throw new StepFailure("evaluation", `\`count\` must be at least 1, not ${count}`);
  const elapsed = startStopwatch(clock);
  const { channel, log } = await openChannel(step.channel, context);
  const matched: LoggedEvent[] = [];
  let looked = 0;
  try {
    while (true) {
      looked = Math.max(looked, log.dropped);
      for (; looked < log.dropped + log.events.length && matched.length < count; looked++) {
        if (needsBreak()) {
          await takeBreak();
          context.signal.throwIfAborted();
        }
        const event = log.events[looked - log.dropped]!;
        if (matchesEvent(step.where, event, context)) matched.push(event);
      }
      if (matched.length >= count) {
        return {
          result: { outcome: "reached", waited_ms: elapsed(), events: matched },
          detail: matched.map((event) => event.type).slice(0, 3).join(", "),
        };
      }
      context.reportProgress(`${matched.length} of ${count} events`);
      await log.changed(context.signal);
    }
  } catch (error) {
    if (!context.timedOut) throw error;
    const waited = formatDuration(elapsed());
    const arrived =
      `${matched.length} of ${count} events arrived on \`${channel}\` within ${waited}`;
    if (await isDisconnected(context.client)) {
      const message = `the connection was lost while waiting for events of \`${channel}\``;
      const lines = [arrived, ...describeLog(log)];
      throw new StepFailure("connection", message, { lines, cause: error });
    }
    const lines = [...describeLog(log), ...describeUnknownNames(step.where)];
    throw new StepFailure("deadline", arrived, { lines, cause: error });
  }
}

/** Describes the events of a channel, as lines of a message. */
function describeLog({ events, dropped, since, missed }: EventLog): string[] {
  const total = dropped + events.length;
  const lines = [
    `${total} events arrived in total${total > 0 ? ", the last ones:" : ""}`,
    ...events.slice(-5).map((event) => `  ${event.type} ${JSON.stringify(event.data)}`),
  ];
  if (dropped > 0) lines.push(`the first ${dropped} of them were not kept`);
  if (since !== undefined) {
    const from = new Date(since).toISOString();
    lines.push(`events before ${from} are missing: the channel was not known before this step`);
  }
  if (missed !== undefined) lines.push(`some events may be missing: ${missed}`);
  return lines;
}

async function isDisconnected(client: RunnerClient): Promise<boolean> {
  for await (const { type } of client.status()) return type !== "connected" && type !== "idle";
  return true;
}
