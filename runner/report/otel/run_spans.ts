import type { Attributes, Context, Span, Tracer } from "@opentelemetry/api";
import type {
  CaseFinished,
  EventFailure,
  Observed,
  RecipeEvent,
  StepEvent,
  StepFinished,
  StepStarted,
} from "../../events/event.ts";
import {
  caseAttributes,
  countAttributes,
  errorType,
  failureAttributes,
  serverAttributes,
  stepAttributes,
  stepResultAttributes,
  usualAttributes,
  wellFormed,
} from "./attributes.ts";
import type { OpenTelemetry } from "./packages.ts";

/** A span that has not ended. */
interface OpenSpan {
  span: Span;
  /** The context for its children. */
  context: Context;
}

/** Makes the spans of a run, its cases and their steps, with the times of the events. */
export class RunSpans {
  #api: OpenTelemetry["api"];
  #tracer: Tracer;
  #parent: Context;
  #run: OpenSpan | undefined;
  #cases = new Map<number, OpenSpan>();
  #steps = new Map<string, OpenSpan>();
  #lastTime = new Date(0);

  /** Uses a tracer, and a context with the parent of the run's span. */
  constructor(api: OpenTelemetry["api"], tracer: Tracer, parent: Context) {
    this.#api = api;
    this.#tracer = tracer;
    this.#parent = parent;
  }

  /** Receives one event. */
  report(event: RecipeEvent): void {
    const at = new Date(event.ts);
    this.#lastTime = at;
    switch (event.type) {
      case "run.started":
        this.#run = this.#open("dispatch run", at, this.#parent, {
          "dispatch.run.cases": event.cases,
          ...serverAttributes(event.server),
        });
        return;
      case "case.started": {
        const open = this.#cases.get(event.case);
        if (event.attempt !== undefined && open) {
          const attempt = { "dispatch.case.attempt": event.attempt };
          return void open.span.addEvent("dispatch.case.attempt", attempt, at);
        }
        const parent = this.#run?.context ?? this.#parent;
        this.#cases.set(event.case, this.#open(event.name, at, parent, caseAttributes(event)));
        return;
      }
      case "step.started":
        return this.#onStepStarted(event, at);
      case "step.retried":
        this.#steps.get(keyOf(event))?.span.addEvent("dispatch.step.retried", {
          "dispatch.step.attempt": event.attempt,
          ...failureAttributes(event.failure),
        }, at);
        return;
      case "step.finished":
        return this.#onStepFinished(event, at);
      case "log":
        this.#parentOf(event)?.span.addEvent("log", { "log.message": wellFormed(event.text) }, at);
        return;
      case "warning": {
        const owner = event.case === undefined ? undefined : this.#cases.get(event.case);
        const text = { "dispatch.warning": wellFormed(event.text) };
        (owner ?? this.#run)?.span.addEvent("warning", text, at);
        return;
      }
      case "case.retried":
        this.#cases.get(event.case)?.span.addEvent("dispatch.case.retried", {
          "dispatch.case.attempt": event.attempt,
          "dispatch.case.status": event.status,
          ...(event.failure ? failureAttributes(event.failure) : {}),
        }, at);
        return;
      case "case.finished":
        return this.#onCaseFinished(event, at);
      case "case.skipped":
        this.#run?.span.addEvent("dispatch.case.skipped", {
          "dispatch.case.name": wellFormed(event.name),
          "dispatch.recipe.file": wellFormed(event.file),
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

  /** Ends the spans that are still open because the events stopped. */
  close(): void {
    const open = [...this.#steps.values(), ...this.#cases.values(), this.#run];
    for (const span of open) this.#end(span, this.#lastTime, "the run stopped early");
    this.#steps.clear();
    this.#cases.clear();
    this.#run = undefined;
  }

  #onStepStarted(event: StepStarted, at: Date): void {
    const key = keyOf(event);
    const open = this.#steps.get(key);
    if (open) {
      open.span.addEvent("dispatch.step.attempt", { "dispatch.step.attempt": event.attempt }, at);
    } else this.#steps.set(key, this.#openStep(event, at));
  }

  #onStepFinished(event: StepFinished, at: Date): void {
    const { failure, observed, status } = event;
    const key = keyOf(event);
    // A step that is skipped, or fails before its first attempt, has no `step.started`.
    const open = this.#steps.get(key) ??
      this.#openStep(event, new Date(at.getTime() - event.duration_ms));
    this.#steps.delete(key);
    open.span.setAttributes(stepResultAttributes(event));
    if (observed) addObserved(open.span, observed);
    if (failure) this.#addFailure(open.span, failure, at);
    this.#end(open, at, failure?.message, status === "skipped");
  }

  #onCaseFinished(event: CaseFinished, at: Date): void {
    const open = this.#cases.get(event.case);
    this.#cases.delete(event.case);
    open?.span.setAttributes({
      "dispatch.case.status": event.status,
      "dispatch.case.flaky": event.flaky,
      ...(event.quarantine ? { "dispatch.case.quarantined": true } : {}),
      ...(event.attempts === undefined ? {} : { "dispatch.case.attempts": event.attempts }),
      ...usualAttributes(event.usual),
    });
    if (open && event.failure) this.#addFailure(open.span, event.failure, at);
    const unchecked = event.status === "unchecked"
      ? "nothing was asserted or waited for"
      : undefined;
    this.#end(open, at, event.failure?.message ?? unchecked);
  }

  #openStep(event: StepStarted | StepFinished, at: Date): OpenSpan {
    const parent = this.#parentOf(event)?.context ?? this.#parent;
    return this.#open(event.label, at, parent, stepAttributes(event));
  }

  /** The innermost open span around a step: its own, that of a `parallel` or `use`, or the case. */
  #parentOf(event: StepEvent): OpenSpan | undefined {
    for (let key = keyOf(event); key.includes("/"); key = key.replace(/[./][^./]*$/, "")) {
      const open = this.#steps.get(key) ?? this.#openItem(key);
      if (open) return open;
    }
    return this.#cases.get(event.case) ?? this.#run;
  }

  /** The item of a `for_each` that runs. Steps inside do not say which, unless several run. */
  #openItem(key: string): OpenSpan | undefined {
    for (const [other, open] of this.#steps) {
      if (other.startsWith(`${key}[`) && other.endsWith("]")) return open;
    }
    return undefined;
  }

  #open(name: string, startTime: Date, parent: Context, attributes: Attributes = {}): OpenSpan {
    const span = this.#tracer.startSpan(wellFormed(name), { startTime, attributes }, parent);
    return { span, context: this.#api.trace.setSpan(parent, span) };
  }

  #addFailure(span: Span, failure: EventFailure, at: Date): void {
    span.setAttribute("error.type", errorType(failure));
    if (failure.kind === "interrupted") span.setAttribute("dispatch.interrupted", true);
    span.addEvent("exception", failureAttributes(failure), at);
  }

  #end(open: OpenSpan | undefined, at: Date, error: string | undefined, skipped = false): void {
    if (!open) return;
    const { ERROR, OK } = this.#api.SpanStatusCode;
    if (error !== undefined) open.span.setStatus({ code: ERROR, message: wellFormed(error) });
    else if (!skipped) open.span.setStatus({ code: OK });
    open.span.end(at);
  }
}

/** The key of a running step. */
function keyOf({ case: index, step }: StepEvent): string {
  return `${index}/${step}`;
}

/** Adds the states and checkpoints that a wait saw, each at its time. */
function addObserved(span: Span, { states, timeline }: Observed): void {
  for (const { state, at } of states) {
    span.addEvent("dispatch.state", { "dispatch.state": wellFormed(state) }, new Date(at));
  }
  for (const { step_name, at, created_at } of timeline) {
    span.addEvent("dispatch.workflow.step", {
      "dispatch.workflow.step.name": wellFormed(step_name),
      ...(created_at === undefined
        ? {}
        : { "dispatch.workflow.step.created_at": wellFormed(created_at) }),
    }, new Date(at));
  }
}
