import type { Template } from "../expression/template.ts";
import type { CelType, RecordType } from "../expression/types.ts";
import type { Fields, Read } from "../language/field.ts";
import type { Node } from "../language/node.ts";
import type { ParseContext } from "../language/parse_context.ts";
import type { StepContext, StepOutcome } from "./context.ts";

/**
 * One thing that a step can do. Each kind has its own file and a line in `step_kinds.ts`. The rest of
 * the runner learns everything about it from these declarations.
 */
export interface StepKind<F extends Fields = Fields> {
  /** The key that selects it, one of `fields`: `enqueue`. */
  readonly name: keyof F & string;
  /** Its name in messages, with an article: `an enqueue step`. */
  readonly title: string;
  /** What such a step does, in one or two sentences. */
  readonly description: string;
  /** How a recipe writes it, without optional keys, as Markdown: `` `enqueue: NAME` ``. */
  readonly usage: string;
  /** The keys of such a step. The one named like the kind comes first. */
  readonly fields: F;
  /**
   * Whether such a step changes something on the server. If it does, it is retried only when its
   * request has certainly not reached the server.
   */
  readonly writes: boolean | ((step: Read<F>) => boolean);
  /** The result that such a step stores under its id. */
  readonly result: ResultType<F>;
  /**
   * Whether such a step checks something, so that a recipe with it can pass.
   * @default {false}
   */
  readonly checks?: boolean;
  /**
   * Whether such a step waits for the server. Metrics then record how long that takes.
   * @default {false}
   */
  readonly waits?: boolean;
  /**
   * Whether such a step can only run in virtual time.
   * @default {false}
   */
  readonly needsVirtualTime?: boolean;
  /** The entity that such a step creates. Its `detail` in reports is then the entity's id. */
  readonly creates?: "job" | "run";
  /** Why such a step takes no `retry`, as a message with advice; absent if it takes one. */
  readonly noRetry?: { readonly message: string; readonly advice: string };
  /** An option of all steps that selects this kind in a step that names none. */
  readonly impliedBy?: keyof F & string;
  /** The key that holds a list of steps. */
  readonly stepsKey?: keyof F & string;
  /** The key that names the file of another recipe, read as a {@linkcode Used}. */
  readonly recipeKey?: keyof F & string;
  /** The key that holds new values of variables. */
  readonly variablesKey?: keyof F & string;
  /** Reports what is wrong beyond a single field. */
  check?(step: Read<F>, check: StepCheck): void;
  /** Returns the line that reports show for a step: `enqueue send-email`. */
  label(step: Read<F>): string;
  /** Runs a step. */
  run(step: Read<F>, context: StepContext): Promise<StepOutcome>;
}

/** The result that the steps of a kind store under their ids. */
export interface ResultType<F extends Fields = Fields> {
  /** Its name in the documentation: `a job`; empty for no result. */
  readonly title: string;
  /** Returns the type of one step's result, or `undefined` for no result. */
  typeOf(step: Read<F>, check: StepCheck): CelType | undefined;
}

/** What the checks of a step can use. */
export interface StepCheck {
  /** Where problems are reported and expressions are recorded. */
  readonly context: ParseContext;
  /** The step's map. */
  readonly node: Node & { kind: "map" };
  /** The step's id. */
  readonly id: string | undefined;
  /** Returns the value node of one of the step's keys. */
  at(key: string): Node | undefined;
  /** Returns the type of an earlier step's result, without the fields of its `outputs`. */
  typeOf(id: string): CelType | undefined;
  /** Records that the job or run of an earlier step has one of these states from here on. */
  waitedFor(id: string, states: readonly string[]): void;
  /** Defines a type for this step's result, and returns the type's name. */
  defineType(type: RecordType): CelType;
}

/** Returns a step kind as it is; its type parameter is inferred from `fields`. */
export function stepKind<const F extends Fields>(kind: StepKind<F>): StepKind<F> {
  return kind;
}

/** Returns the text of a template for a label. Expressions are shown as written. */
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
