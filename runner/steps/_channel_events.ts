import { parseChannel } from "../../protocol/channel.ts";
import { EVENT_TYPES, type EventType } from "../../protocol/event.ts";
import { StepFailure } from "../events/failure.ts";
import type { LoggedEvent } from "../events/results.ts";
import { EvaluationError, type Expression } from "../expression/expression.ts";
import type { Template } from "../expression/template.ts";
import { custom, type Field } from "../language/field.ts";
import { didYouMean } from "../../runtime/suggest.ts";
import { condition, text } from "../language/value_fields.ts";
import type { EventLog, StepContext } from "./context.ts";

const CHANNELS = "`jobs`, `workflows`, `firehose`, `job:<id>`, `workflow:<id>` or `queue:<name>`";

/** The name of a channel. The recipe then listens to it from its start, if the name is known. */
export function channelName(description = `${CHANNELS}.`): Field<Template, false> {
  const name = text(description);
  return custom(description, name.json, (node, context, what) => {
    const template = name.read(node, context, what);
    if (template === undefined) return undefined;
    if (template.kind !== "literal") {
      context.keepChannel(template);
      return template;
    }
    const channel = String(template.value);
    if (parseChannel(channel) === undefined) {
      const label = didYouMean(channel, ["jobs", "workflows", "firehose"]) ?? CHANNELS;
      context.diagnostics.error("bad-channel", node, `\`${channel}\` is not a channel`, { label });
    } else {
      context.keepChannel(channel);
    }
    return template;
  });
}

/** A condition over one event of a channel, which it sees as `event`. */
export function eventCondition(description: string): Field<Expression, false> {
  const where = condition(description);
  return custom(description, where.json, (node, context, what) =>
    context.within(
      { locals: { ...context.scope.locals, event: "EventResult" } },
      () => where.read(node, context, what),
    ));
}

/** The fields of the events' data. */
const DATA_FIELDS = {
  "`job.*`": ["job_id", "job_name", "queue", "elapsed_ms", "error", "attempt", "next_run_at"],
  "`workflow.*`": ["run_id", "name", "step_name", "elapsed_ms", "error"],
  "`cron.fired`": ["entry_name", "job_id"],
  "some events": ["scope_app_id", "scope_org_id"],
} as const;

/**
 * Returns lines of a message that name types of events and fields of `event.data` which no event
 * has: a condition on such a type or field is never met.
 */
export function describeUnknownNames(where: Expression | undefined): string[] {
  return [...describeUnknownTypes(where), ...describeUnknownFields(where)];
}

function describeUnknownTypes(where: Expression | undefined): string[] {
  const asked = where?.text.matchAll(/\bevent\.type\s*==\s*(["'])([\w.-]+)\1/g) ?? [];
  const types = new Set([...asked].map(([, , type]) => type!));
  return [...types].filter((type) => !EVENT_TYPES.includes(type as EventType)).map((type) => {
    const hint = didYouMean(type, EVENT_TYPES);
    return `no known event has the type \`${type}\`${hint ? `; ${hint}` : ""}`;
  });
}

function describeUnknownFields(where: Expression | undefined): string[] {
  const known: readonly string[] = Object.values(DATA_FIELDS).flat();
  const asked = [...where?.text.matchAll(/\bevent\.data\.(\w+)/g) ?? []].map(([, name]) => name!);
  const isCron = /cron/.test(where?.text ?? "");
  return [...new Set(asked)].filter((name) => !known.includes(name)).map((name) => {
    const fields = Object.entries(DATA_FIELDS).slice(0, 3)
      .filter(([type]) => isCron === type.includes("cron"))
      .map(([type, names]) => `${type} has ${names.join(", ")}`).join("; ");
    return `no known event has \`event.data.${name}\`; ${
      (isCron ? undefined : didYouMean(name, known)) ?? fields
    }`;
  });
}

/** Returns the name of a channel and its events since the recipe began. */
export async function openChannel(
  template: Template,
  context: StepContext,
): Promise<{ channel: string; log: EventLog }> {
  const channel = context.text(template);
  if (parseChannel(channel) === undefined) {
    throw new StepFailure("evaluation", `\`${channel}\` is not a channel`);
  }
  return { channel, log: await context.channel(channel) };
}

/**
 * Returns whether an event meets a condition. It does not if it lacks a field that the condition
 * asks for, as events of other types may.
 */
export function matchesEvent(
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
