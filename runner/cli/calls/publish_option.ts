import type { NamedRequest } from "../../steps/context.ts";
import { type OptionSpec, type ParsedArgs, UsageError } from "../args.ts";
import type { CommandContext } from "../command.ts";
import { jsonArgument } from "./json_argument.ts";

/** The option for events that a run waits for. */
export const PUBLISH_OPTION: OptionSpec = {
  value: "NAME=JSON",
  repeat: true,
  description: "With --dev: publish this event once the run has started.",
};

/** An event to publish once a run has started. */
export interface EventToPublish {
  name: string;
  payload: unknown;
}

/** Returns what events ask for, to check their names before anything runs. */
export function publishRequests(events: readonly EventToPublish[]): NamedRequest[] {
  return events.map(({ name }) => ({ publish: name }));
}

/**
 * Reads the events that the command line says to publish.
 * @throws {UsageError} If one has no name, or a payload that is not JSON.
 */
export async function eventsToPublish(
  { lists }: ParsedArgs,
  context: CommandContext,
): Promise<EventToPublish[]> {
  const events: EventToPublish[] = [];
  for (const event of lists.publish ?? []) {
    const [, name, json] = /^([^=]+)(?:=(.*))?$/s.exec(event) ?? [];
    if (name === undefined) throw new UsageError("--publish takes NAME or NAME=JSON");
    events.push({ name, payload: await jsonArgument(json, `payload of ${name}`, context) ?? null });
  }
  return events;
}
