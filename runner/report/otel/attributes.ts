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
import { kindNamed } from "../../steps/step_kinds.ts";

/**
 * Replaces lone surrogates: a collector that converts JSON to Protocol Buffers would reject the
 * whole batch for one of them.
 */
export function wellFormed(text: string): string {
  return text.toWellFormed();
}

/** The attributes of the server: `embedded`, or its address without credentials. */
export function serverAttributes(server: string): Attributes {
  if (!URL.canParse(server)) return { "dispatch.server": wellFormed(server) };
  const { protocol, host, hostname, port } = new URL(server);
  return {
    "dispatch.server": `${protocol}//${host}`,
    "server.address": hostname,
    ...(port === "" ? {} : { "server.port": Number(port) }),
  };
}

/** The attributes of a case. Its variables are left out, because they can be large. */
export function caseAttributes(event: CaseStarted): Attributes {
  const attributes: Attributes = {
    "dispatch.case.number": event.case,
    "dispatch.case.name": wellFormed(event.name),
    "dispatch.recipe.file": wellFormed(event.file),
    "dispatch.recipe.tags": event.tags.map(wellFormed),
  };
  for (const [name, value] of Object.entries(event.matrix ?? {})) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    attributes[wellFormed(`dispatch.matrix.${name}`)] = wellFormed(text);
  }
  return attributes;
}

/** The attributes that a step has from its start. */
export function stepAttributes(event: StepStarted | StepFinished): Attributes {
  return {
    "dispatch.step.number": event.step,
    "dispatch.step.kind": event.kind,
    "dispatch.step.phase": event.phase,
    ...(event.id === undefined ? {} : { "dispatch.step.id": wellFormed(event.id) }),
    "code.file.path": wellFormed(event.place.file),
    "code.line.number": event.place.line,
  };
}

/** The attributes that a step has when it has ended. */
export function stepResultAttributes(event: StepFinished): Attributes {
  return {
    "dispatch.step.status": event.status,
    "dispatch.step.attempts": event.attempts,
    "dispatch.step.soft": event.soft,
    ...(event.detail === undefined ? {} : { "dispatch.step.detail": wellFormed(event.detail) }),
    ...observedAttributes(event.observed),
    ...createdAttributes(event),
    ...usualAttributes(event.usual),
  };
}

const ID_ATTRIBUTES = { job: "dispatch.job.id", run: "dispatch.workflow.run_id" } as const;

/** The id of the job or run that the step created; the event has it as its detail. */
function createdAttributes({ kind, status, detail }: StepFinished): Attributes {
  if (status !== "passed" || detail === undefined) return {};
  const entity = kindNamed(kind)?.creates;
  return entity === undefined ? {} : { [ID_ATTRIBUTES[entity]]: wellFormed(detail) };
}

/** The id and name of the job or run that a wait observed. */
function observedAttributes(observed: Observed | undefined): Attributes {
  const entity = observed?.entity;
  if (!entity) return {};
  return { [ID_ATTRIBUTES[entity.kind]]: wellFormed(entity.id), ...entityName(observed) };
}

/** The name of the job or workflow that a wait observed; fit for metrics, as names are few. */
export function entityName(observed: Observed | undefined): Attributes {
  const entity = observed?.entity;
  if (!entity || entity.name === "") return {};
  const name = entity.kind === "job" ? "dispatch.job.name" : "dispatch.workflow.name";
  return { [name]: wellFormed(entity.name) };
}

/** The attributes that compare a case or step with the runs before. */
export function usualAttributes(usual: Usual | undefined): Attributes {
  if (!usual) return {};
  return {
    "dispatch.usual.slower": usual.slower,
    ...(usual.median_ms === undefined ? {} : { "dispatch.usual.median_ms": usual.median_ms }),
  };
}

/** The value of `error.type`: the code of a failure, or its kind. */
export function errorType({ code, kind }: EventFailure): string {
  return wellFormed(String(code ?? kind));
}

/** The attributes of the `exception` event for a failure. */
export function failureAttributes({ kind, message, code, lines }: EventFailure): Attributes {
  return {
    "exception.type": kind,
    "exception.message": wellFormed(message),
    ...(code === undefined ? {} : { "dispatch.failure.code": wellFormed(String(code)) }),
    ...(lines.length === 0 ? {} : { "dispatch.failure.lines": lines.map(wellFormed) }),
  };
}

/** The attributes for the counts of a run. */
export function countAttributes(counts: RunCounts): Attributes {
  return Object.fromEntries(
    Object.entries(counts).map(([name, count]) => [`dispatch.count.${name}`, count]),
  );
}
