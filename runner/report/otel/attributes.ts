import type { Attributes } from "@opentelemetry/api";
import type {
  CaseStarted,
  EventFailure,
  Observed,
  RunCounts,
  StepFinished,
  StepStarted,
  Usual,
} from "../../events/event.ts";

/**
 * A text that every collector takes: one that reads JSON into Protocol Buffers refuses a whole batch
 * for half a surrogate pair.
 */
export function clean(text: string): string {
  return text.toWellFormed();
}

/** Where a run happens: `embedded`, or the server's address without what may be secret in it. */
export function serverAttributes(server: string): Attributes {
  if (!URL.canParse(server)) return { "dispatch.server": clean(server) };
  const { protocol, host, hostname, port } = new URL(server);
  return {
    "dispatch.server": `${protocol}//${host}`,
    "server.address": hostname,
    ...(port === "" ? {} : { "server.port": Number(port) }),
  };
}

/** What a case is. Its variables stay out: they may be large, and are of interest to nobody else. */
export function caseAttributes(event: CaseStarted): Attributes {
  const attributes: Attributes = {
    "dispatch.case.number": event.case,
    "dispatch.case.name": clean(event.name),
    "dispatch.recipe.file": clean(event.file),
    "dispatch.recipe.tags": event.tags.map(clean),
  };
  for (const [name, value] of Object.entries(event.matrix ?? {})) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    attributes[clean(`dispatch.matrix.${name}`)] = clean(text);
  }
  return attributes;
}

/** What a step is. */
export function stepAttributes(event: StepStarted | StepFinished): Attributes {
  return {
    "dispatch.step.number": event.step,
    "dispatch.step.kind": event.kind,
    "dispatch.step.phase": event.phase,
    ...(event.id === undefined ? {} : { "dispatch.step.id": clean(event.id) }),
    "code.file.path": clean(event.place.file),
    "code.line.number": event.place.line,
  };
}

/** How a step ended. */
export function stepResult(event: StepFinished): Attributes {
  return {
    "dispatch.step.status": event.status,
    "dispatch.step.attempts": event.attempts,
    "dispatch.step.soft": event.soft,
    ...(event.detail === undefined ? {} : { "dispatch.step.detail": clean(event.detail) }),
    ...entityAttributes(event.observed),
    ...madeAttributes(event),
    ...usualAttributes(event.usual),
  };
}

/** The job or run that the step made, which is all that it tells. */
function madeAttributes({ kind, status, detail }: StepFinished): Attributes {
  if (status !== "passed" || detail === undefined) return {};
  if (kind === "enqueue") return { "dispatch.job.id": clean(detail) };
  return kind === "start" ? { "dispatch.workflow.run_id": clean(detail) } : {};
}

/** The job or run that was waited for. */
function entityAttributes(observed: Observed | undefined): Attributes {
  const entity = observed?.entity;
  if (!entity) return {};
  const id = entity.kind === "job" ? "dispatch.job.id" : "dispatch.workflow.run_id";
  return { [id]: clean(entity.id), ...entityName(observed) };
}

/** The name of the job or workflow that was waited for: one of few. */
export function entityName(observed: Observed | undefined): Attributes {
  const entity = observed?.entity;
  if (!entity || entity.name === "") return {};
  const name = entity.kind === "job" ? "dispatch.job.name" : "dispatch.workflow.name";
  return { [name]: clean(entity.name) };
}

/** How long it took before. */
export function usualAttributes(usual: Usual | undefined): Attributes {
  if (!usual) return {};
  return {
    "dispatch.usual.slower": usual.slower,
    ...(usual.median_ms === undefined ? {} : { "dispatch.usual.median_ms": usual.median_ms }),
  };
}

/** What failed, as a span or a count says it. */
export function errorType({ code, kind }: EventFailure): string {
  return clean(String(code ?? kind));
}

/** What failed, as an event of a span says it. */
export function failureAttributes(failure: EventFailure): Attributes {
  return {
    "exception.type": failure.kind,
    "exception.message": clean(failure.message),
    ...(failure.code === undefined ? {} : { "dispatch.failure.code": clean(String(failure.code)) }),
    ...(failure.lines.length === 0 ? {} : { "dispatch.failure.lines": failure.lines.map(clean) }),
  };
}

/** How many cases ended how. */
export function countAttributes(counts: RunCounts): Attributes {
  return Object.fromEntries(
    Object.entries(counts).map(([name, count]) => [`dispatch.count.${name}`, count]),
  );
}
