import type { EntityReading } from "./_entity_reading.ts";
import type { StepContext } from "./context.ts";

/** Returns the likely causes for a job or run that has not ended, as lines of a message. */
export function likelyCauses(
  { job, run, state, timeline }: EntityReading,
  context: StepContext,
): string[] {
  if (job) {
    switch (job.state) {
      case "pending":
        return [`likely cause: no worker has taken it; does one serve queue \`${job.queue}\`?`];
      case "running":
        return [
          `likely cause: its handler is still running, or no worker has a handler for \`${job.name}\``,
        ];
      case "retrying":
        return [`it failed ${job.retry_count} times: ${job.last_error ?? "(no error given)"}`];
      default:
        return [];
    }
  }
  if (!run || state !== "running") return [];
  const ignored = context.publishedEvents
    .filter((event) => !timeline.some(({ step_name }) => step_name === `wait:${event.name}`))
    .map(({ name }) => `\`${name}\``)
    .join(", ");
  return [
    ignored === ""
      ? "likely cause: it waits for an event that was not published, or for a slow step"
      : `likely cause: it waits for an event other than ${ignored}, or for a slow step`,
  ];
}
