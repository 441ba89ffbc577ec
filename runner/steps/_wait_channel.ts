import { parseChannel } from "../../protocol/channel.ts";
import { StepFailure } from "../engine/failure.ts";
import { EvaluationError, type Expression } from "../expression/expression.ts";
import { literal, type Template } from "../expression/template.ts";
import { formatDuration } from "../recipe/duration.ts";
import { condition, custom, type Field, integer, record, required, text } from "../recipe/field.ts";
import { didYouMean } from "../recipe/suggest.ts";
import type { LoggedEvent, StepCheck, StepContext, StepOutcome } from "./kind.ts";

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
      (node, reading, what) =>
        reading.within(
          { locals: { ...reading.scope.locals, event: "EventResult" } },
          () => where.read(node, reading, what),
        ),
    ),
    count: integer("How many such events; 1 when it is not given.", { minimum: 1 }),
  },
  "a wait on a channel",
);

/** Checks the channel's name, and that nothing in the step belongs to the other kind of wait. */
export function checkChannel({ at, reading }: StepCheck): void {
  const map = at("wait");
  const node = map?.kind === "map"
    ? map.entries.find(({ key }) => key === "channel")?.value
    : undefined;
  for (const key of ["until", "until_step", "fail_on"]) {
    const other = at(key);
    if (!other) continue;
    reading.diagnostics.error("unknown-key", other, `a wait on a channel takes no \`${key}\``, {
      label: "`where` and `count` say what ends it",
    });
  }
  if (node?.kind !== "scalar" || typeof node.value !== "string") return;
  if (node.value.includes("${{")) return;
  if (parseChannel(node.value) === undefined) {
    const known = ["jobs", "workflows", "firehose"];
    reading.diagnostics.error("bad-channel", node, `\`${node.value}\` is no channel`, {
      label: didYouMean(node.value, known) ??
        "`jobs`, `workflows`, `firehose`, `job:<id>`, `workflow:<id>` or `queue:<name>`",
    });
  } else {
    reading.channels.add(node.value);
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
    throw new StepFailure(
      "deadline",
      `${matched.length} of ${count} events came on \`${channel}\` within ${waited}`,
      {
        lines: [
          `${log.events.length} events came in all${log.events.length > 0 ? ", the last:" : ""}`,
          ...log.events.slice(-5).map((event) => `  ${event.type} ${JSON.stringify(event.data)}`),
          ...(log.missed === undefined ? [] : [`some may have been missed: ${log.missed}`]),
        ],
        cause: error,
      },
    );
  }
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
