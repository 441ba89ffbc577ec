import type { Attributes, Context, Span, Tracer } from "@opentelemetry/api";
import type {
  CaseFinished,
  EventFailure,
  Observed,
  RunEvent,
  StepEvent,
  StepFinished,
  StepStarted,
} from "../../events/event.ts";
import {
  caseAttributes,
  clean,
  countAttributes,
  errorType,
  failureAttributes,
  serverAttributes,
  stepAttributes,
  stepResult,
  usualAttributes,
} from "./attributes.ts";
import type { OpenTelemetry } from "./load.ts";

/** A span that is not over. */
interface Open {
  span: Span;
  /** The context of those below it. */
  context: Context;
}

/** The spans of a run: the run, its cases, their steps. Their times are those of the events. */
export class RunSpans {
  #api: OpenTelemetry["api"];
  #tracer: Tracer;
  #parent: Context;
  #run: Open | undefined;
  #cases = new Map<number, Open>();
  #steps = new Map<string, Open>();
  #last = new Date(0);

  /** Makes them with a tracer, below what a context holds. */
  constructor(api: OpenTelemetry["api"], tracer: Tracer, parent: Context) {
    this.#api = api;
    this.#tracer = tracer;
    this.#parent = parent;
  }

  /** Takes one event. */
  report(event: RunEvent): void {
    const at = new Date(event.ts);
    this.#last = at;
    switch (event.type) {
      case "run.started":
        this.#run = this.#open("dispatch run", at, this.#parent, {
          "dispatch.run.cases": event.cases,
          ...serverAttributes(event.server),
        });
        return;
      case "case.started": {
        const parent = this.#run?.context ?? this.#parent;
        this.#cases.set(event.case, this.#open(event.name, at, parent, caseAttributes(event)));
        return;
      }
      case "step.started":
        return this.#stepStarted(event, at);
      case "step.retried":
        this.#steps.get(keyOf(event))?.span.addEvent("dispatch.step.retried", {
          "dispatch.step.attempt": event.attempt,
          ...failureAttributes(event.failure),
        }, at);
        return;
      case "step.finished":
        return this.#stepFinished(event, at);
      case "log":
        this.#around(event)?.span.addEvent("log", { "log.message": clean(event.text) }, at);
        return;
      case "warning": {
        const about = event.case === undefined ? undefined : this.#cases.get(event.case);
        const text = { "dispatch.warning": clean(event.text) };
        (about ?? this.#run)?.span.addEvent("warning", text, at);
        return;
      }
      case "case.finished":
        return this.#caseFinished(event, at);
      case "case.skipped":
        this.#run?.span.addEvent("dispatch.case.skipped", {
          "dispatch.case.name": clean(event.name),
          "dispatch.recipe.file": clean(event.file),
          "dispatch.case.reason": event.reason,
        }, at);
        return;
      case "run.finished": {
        const { exit_code, interrupted, counts } = event;
        this.#run?.span.setAttributes({
          "dispatch.run.exit_code": exit_code,
          "dispatch.run.interrupted": interrupted,
          ...countAttributes(counts),
        });
        this.#end(this.#run, at, exit_code === 0 ? undefined : `exit code ${exit_code}`);
        this.#run = undefined;
        return;
      }
    }
  }

  /** Ends what no event has ended. */
  close(): void {
    const open = [...this.#steps.values(), ...this.#cases.values(), this.#run];
    for (const one of open) this.#end(one, this.#last, "the run broke off");
    this.#steps.clear();
    this.#cases.clear();
    this.#run = undefined;
  }

  #stepStarted(event: StepStarted, at: Date): void {
    const key = keyOf(event);
    const open = this.#steps.get(key);
    if (open) {
      open.span.addEvent("dispatch.step.attempt", { "dispatch.step.attempt": event.attempt }, at);
    } else this.#steps.set(key, this.#openStep(event, at));
  }

  #stepFinished(event: StepFinished, at: Date): void {
    const { failure, observed, status } = event;
    const key = keyOf(event);
    // A step that could not even begin has no other event.
    const open = this.#steps.get(key) ??
      this.#openStep(event, new Date(at.getTime() - event.duration_ms));
    this.#steps.delete(key);
    open.span.setAttributes(stepResult(event));
    if (observed) addObserved(open.span, observed);
    if (failure) this.#fail(open.span, failure, at);
    this.#end(open, at, failure?.message, status === "skipped");
  }

  #caseFinished(event: CaseFinished, at: Date): void {
    const open = this.#cases.get(event.case);
    this.#cases.delete(event.case);
    open?.span.setAttributes({
      "dispatch.case.status": event.status,
      "dispatch.case.flaky": event.flaky,
      ...usualAttributes(event.usual),
    });
    if (open && event.failure) this.#fail(open.span, event.failure, at);
    const unchecked = event.status === "unchecked" ? "nothing was asserted" : undefined;
    this.#end(open, at, event.failure?.message ?? unchecked);
  }

  #openStep(event: StepStarted | StepFinished, at: Date): Open {
    const parent = this.#around(event)?.context ?? this.#parent;
    return this.#open(event.label, at, parent, stepAttributes(event));
  }

  /** What a step stands in: `parallel`, `use`, or the case. */
  #around(event: StepEvent): Open | undefined {
    for (let key = keyOf(event); key.includes("/"); key = key.replace(/[./][^./]*$/, "")) {
      const open = this.#steps.get(key);
      if (open) return open;
    }
    return this.#cases.get(event.case) ?? this.#run;
  }

  #open(name: string, startTime: Date, parent: Context, attributes: Attributes = {}): Open {
    const span = this.#tracer.startSpan(clean(name), { startTime, attributes }, parent);
    return { span, context: this.#api.trace.setSpan(parent, span) };
  }

  #fail(span: Span, failure: EventFailure, at: Date): void {
    span.setAttribute("error.type", errorType(failure));
    if (failure.kind === "interrupted") span.setAttribute("dispatch.interrupted", true);
    span.addEvent("exception", failureAttributes(failure), at);
  }

  #end(open: Open | undefined, at: Date, error: string | undefined, unknown = false): void {
    if (!open) return;
    const { ERROR, OK } = this.#api.SpanStatusCode;
    if (error !== undefined) open.span.setStatus({ code: ERROR, message: clean(error) });
    else if (!unknown) open.span.setStatus({ code: OK });
    open.span.end(at);
  }
}

/** Tells the steps of a run apart that are under way; the items of a loop come one by one. */
function keyOf({ case: index, step }: StepEvent): string {
  return `${index}/${step.replaceAll(/\[\d+\]/g, "")}`;
}

/** The states of what was waited for, and the checkpoints of a run, each at its time. */
function addObserved(span: Span, { states, timeline }: Observed): void {
  for (const { state, at } of states) {
    span.addEvent("dispatch.state", { "dispatch.state": clean(state) }, new Date(at));
  }
  for (const { step_name, at, created_at } of timeline) {
    span.addEvent("dispatch.workflow.step", {
      "dispatch.workflow.step.name": clean(step_name),
      ...(created_at === undefined
        ? {}
        : { "dispatch.workflow.step.created_at": clean(created_at) }),
    }, new Date(at));
  }
}
