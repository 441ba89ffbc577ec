import type { Dispatch } from "../../client/dispatch.ts";
import type { CallOptions } from "../../client/options.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Hide } from "../expression/diff.ts";
import type { Expression, Values } from "../expression/expression.ts";
import type { Ambient } from "../expression/cel.ts";
import type { Template } from "../expression/template.ts";
import type { CelType, RecordType } from "../expression/types.ts";
import type { Fields, Read } from "../language/field.ts";
import type { Recipe, Step } from "../language/model.ts";
import type { Node } from "../language/node.ts";
import type { ParseContext } from "../language/parse_context.ts";
import type { Span } from "../language/source.ts";
import type { Observed } from "../events/event.ts";
import type { Entity, LoggedEvent, Results } from "../events/results.ts";

/** A connected client, without the methods that connect and close it. */
export type RunnerClient = Omit<Dispatch, "connect" | "close" | typeof Symbol.asyncDispose>;

/** What a step has at hand while it runs. */
export interface StepContext {
  /** The connection to the server. */
  readonly client: RunnerClient;
  /** Aborted when the step's time is over or the run is interrupted. */
  readonly signal: AbortSignal;
  /**
   * Settings for every call of the client: the step's signal, and no limit of the client's own where
   * the step says how long it may take.
   */
  readonly call: CallOptions;
  /** Where time comes from. */
  readonly clock: Clock;
  /** What the steps before it left. */
  readonly results: Results;
  /** The step's own id. */
  readonly id: string | undefined;
  /** Where `now()`, `uuid()` and `random(n)` come from. */
  readonly ambient: Ambient;
  /** Gives a value without its secrets, for what is shown of it in part. */
  readonly hide: Hide;
  /** All that expressions see. */
  values(locals?: Values): Values;
  /** The value of a template. */
  resolve(template: Template): unknown;
  /** The value of a template that must be text. */
  text(template: Template): string;
  /** The value of a template that must be a number. */
  number(template: Template): number;
  /** The milliseconds of a template that must be a duration. */
  duration(template: Template): number;
  /** Whether a condition holds. */
  holds(condition: Expression, locals?: Values): boolean;
  /** The line of the recipe on which a part of it begins. */
  lineOf(span: Span): number;
  /** Tells what a long step last saw. */
  progress(text: string): void;
  /** Prints a line of the recipe's own. */
  log(message: string): void;
  /** Remembers an event that was published, to see later whether a run took it. */
  published(event: { event_id: string; name: string }): void;
  /** Gives a variable a new value. */
  setVariable(name: string, value: unknown): void;
  /** Counts an assertion or a wait, so that a run that made none is no pass. */
  checked(): void;
  /** The events of a channel since the recipe began, and a wake-up for more. */
  channel(name: string): Promise<EventLog>;
  /** The events of the step's own job or run as they come; empty where no expression asks. */
  follow(
    entity: Entity,
    open: (signal: AbortSignal) => AsyncIterable<unknown>,
  ): readonly LoggedEvent[];
  /** The events of a job or run that some step follows, as they come. */
  eventsOf(entity: Entity): readonly LoggedEvent[];
  /** Waits a moment for the last events of a job or run that has ended, where a step follows it. */
  lastEvents(entity: Entity): Promise<void>;
  /** The events that this case has published. */
  publishedEvents(): readonly { event_id: string; name: string }[];
  /** Whether `signal` was aborted because the step's time is over. */
  timedOut(): boolean;
  /** Runs steps of another part of the recipe; what `parallel` and `use` are made of. */
  readonly nested: Nested;
}

/** What a step that contains others can do. */
export interface Nested {
  /** Runs steps side by side. */
  parallel(steps: readonly Step[]): Promise<void>;
  /** Runs another recipe and gives its outputs. */
  use(recipe: Recipe, inputs: Record<string, unknown>): Promise<Record<string, unknown>>;
}

/** Events of one channel, in the order they came. */
export interface EventLog {
  /** The events so far. */
  readonly events: readonly LoggedEvent[];
  /** Since when it is kept, in milliseconds since 1970; `undefined` when since the recipe began. */
  readonly since: number | undefined;
  /** What was missed, in words, or `undefined`. */
  readonly missed: string | undefined;
  /** Resolves when there are more events, or what is known of the channel has changed. */
  changed(signal: AbortSignal): Promise<void>;
}

/** What a step left. */
export interface StepOutcome {
  /** What stands under the step's id. */
  result?: unknown;
  /** A few words for its line in the report. */
  detail?: string;
  /** What a wait has seen. */
  observed?: Observed;
}

/** What a step's own checks have at hand. */
export interface StepCheck {
  /** For reading nested parts and adding diagnostics. */
  readonly context: ParseContext;
  /** The step's map. */
  readonly node: Node & { kind: "map" };
  /** The value node of one of its keys. */
  at(key: string): Node | undefined;
  /** The step's own id. */
  readonly id: string | undefined;
  /** The type that an earlier step left, without the fields that its `outputs` add. */
  typeOf(id: string): CelType | undefined;
  /** Says that an earlier step's job or run has one of these states from here on. */
  waitedFor(id: string, states: readonly string[]): void;
  /** Defines a type for this step. */
  record(name: CelType, type: RecordType): void;
}

/** One thing that a step can do. One file each. */
export interface StepKind<F extends Fields = Fields> {
  /** Its key in a step: `enqueue`. */
  readonly name: string;
  /** What it does, in one sentence. */
  readonly description: string;
  /** How messages name such a step: `an enqueue step`. */
  readonly title: string;
  /** Its keys; the one that is its name comes first. */
  readonly fields: F;
  /** Whether it can fail the recipe by what it finds. */
  readonly checks?: boolean;
  /**
   * Whether it can have `retry`.
   * @default {true}
   */
  readonly retriable?: boolean;
  /** The type of what it leaves under its id. */
  type?(step: Read<F>, check: StepCheck): CelType | undefined;
  /** Checks beyond what its fields check themselves. */
  check?(step: Read<F>, check: StepCheck): void;
  /** Its line in a report: `enqueue send-email`. */
  label(step: Read<F>): string;
  /** Does it. */
  run(step: Read<F>, context: StepContext): Promise<StepOutcome>;
}

/** A step kind with its types inferred. */
export function stepKind<F extends Fields>(kind: StepKind<F>): StepKind<F> {
  return kind;
}

/** The text of a template for a label: expressions stay as they are written. */
export function templateLabel(template: Template | undefined): string {
  if (!template) return "";
  switch (template.kind) {
    case "literal":
      return String(template.value);
    case "expression":
      return `\${{ ${template.expression.text} }}`;
    case "text":
      return template.parts.map((part) => typeof part === "string" ? part : `\${{ ${part.text} }}`)
        .join("");
    default:
      return "…";
  }
}
