import { parseChannel } from "../../protocol/channel.ts";
import { StepFailure } from "../events/failure.ts";
import type { LoggedEvent } from "../events/results.ts";
import { EvaluationError, type Expression } from "../expression/expression.ts";
import { literal, type Template } from "../expression/template.ts";
import { formatDuration } from "../language/duration.ts";
import { custom, type Field, record, required } from "../language/field.ts";
import { condition, integer, text } from "../language/value_fields.ts";
import { didYouMean } from "../language/suggest.ts";
import type { EventLog, RunnerClient, StepCheck, StepContext, StepOutcome } from "./kind.ts";

/** A wait for events of a channel. */
export interface ChannelWait {
  /** The channel. */
  channel: Template;
  /** Which of its events count. */
  where?: Expression;
  /** How many of them. */
  count?: Template;
}

const where = condition("Which events count: an expression over `event`.");

/** Reads `{channel, where, count}`. */
export const channelWait: Field<ChannelWait, false> = record(
  "Events of a channel since the recipe began.",
  {
    channel: required(
      text("`jobs`, `workflows`, `firehose`, `job:<id>`, `workflow:<id>` or `queue:<name>`."),
    ),
    where: custom<Expression>(
      where.description,
      where.json,
      (node, context, what) =>
        context.within(
          { locals: { ...context.scope.locals, event: "EventResult" } },
          () => where.read(node, context, what),
        ),
    ),
    count: integer("How many such events; 1 when it is not given.", { minimum: 1 }),
  },
  "a wait on a channel",
);

/** Checks the channel's name, and that nothing in the step belongs to the other kind of wait. */
export function checkChannel({ channel }: ChannelWait, { at, context }: StepCheck): void {
  const map = at("wait");
  const node = map?.kind === "map"
    ? map.entries.find(({ key }) => key === "channel")?.value
    : undefined;
  for (const key of ["until", "until_step", "fail_on"]) {
    const other = at(key);
    if (!other) continue;
    context.diagnostics.error("unknown-key", other, `a wait on a channel takes no \`${key}\``, {
      label: "`where` and `count` say what ends it",
    });
  }
  if (node?.kind !== "scalar" || typeof node.value !== "string") return;
  if (channel.kind !== "literal") context.keepChannel(channel);
  else if (parseChannel(node.value) === undefined) {
    const known = ["jobs", "workflows", "firehose"];
    context.diagnostics.error("bad-channel", node, `\`${node.value}\` is no channel`, {
      label: didYouMean(node.value, known) ??
        "`jobs`, `workflows`, `firehose`, `job:<id>`, `workflow:<id>` or `queue:<name>`",
    });
  } else {
    context.keepChannel(node.value);
  }
}

/** Waits until enough events of a channel have come since the recipe began. */
export async function waitOnChannel(
  step: ChannelWait,
  context: StepContext,
): Promise<StepOutcome> {
  const channel = context.text(step.channel);
  if (parseChannel(channel) === undefined) {
    throw new StepFailure("evaluation", `\`${channel}\` is no channel`);
  }
  const count = context.number(step.count ?? literal(1));
  if (count < 1) throw new StepFailure("evaluation", `\`count\` must be at least 1, not ${count}`);
  const began = context.clock.now();
  const log = await context.channel(channel);
  const matched: LoggedEvent[] = [];
  let looked = 0;
  try {
    while (true) {
      for (; looked < log.events.length && matched.length < count; looked++) {
        const event = log.events[looked]!;
        if (matches(step.where, event, context)) matched.push(event);
      }
      if (matched.length >= count) {
        const result = {
          outcome: "reached",
          waited_ms: context.clock.now() - began,
          events: matched,
        };
        return { result, detail: matched.map((event) => event.type).slice(0, 3).join(", ") };
      }
      context.progress(`${matched.length} of ${count} events`);
      await log.changed(context.signal);
    }
  } catch (error) {
    if (!context.timedOut()) throw error;
    const waited = formatDuration(context.clock.now() - began);
    const came = `${matched.length} of ${count} events came on \`${channel}\` within ${waited}`;
    const lost = await isConnectionLost(context.client);
    throw new StepFailure(
      lost ? "connection" : "deadline",
      lost ? `the connection was lost while waiting for events of \`${channel}\`` : came,
      { lines: [...(lost ? [came] : []), ...describeLog(log)], cause: error },
    );
  }
}

/** What is known of a channel's events, for the message of a wait that was not met. */
function describeLog({ events, since, missed }: EventLog): string[] {
  const lines = [
    `${events.length} events came in all${events.length > 0 ? ", the last:" : ""}`,
    ...events.slice(-5).map((event) => `  ${event.type} ${JSON.stringify(event.data)}`),
  ];
  if (since !== undefined) {
    const from = new Date(since).toISOString();
    lines.push(`those before ${from} were not heard: the channel was not known before this step`);
  }
  if (missed !== undefined) lines.push(`some may have been missed: ${missed}`);
  return lines;
}

async function isConnectionLost(client: RunnerClient): Promise<boolean> {
  for await (const { type } of client.status()) return type !== "connected" && type !== "idle";
  return true;
}

/** Events of other types lack fields that `where` asks for; that is no match, not an error. */
function matches(
  where: Expression | undefined,
  event: LoggedEvent,
  context: StepContext,
): boolean {
  if (!where) return true;
  try {
    return context.holds(where, { event });
  } catch (error) {
    const cause = error instanceof EvaluationError ? error.cause as { code?: string } : undefined;
    if (cause?.code === "no_such_key") return false;
    throw error;
  }
}
