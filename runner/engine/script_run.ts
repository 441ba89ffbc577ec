import type { Deadline } from "../events/deadline.ts";
import type { ScriptBody, Step } from "../language/model.ts";
import type { CaseScope } from "./scopes.ts";
import type { Activity } from "./virtual_time.ts";

/** A function passed to `t.always`. */
export type CleanUp = () => Promise<void> | void;

/** A running recipe in TypeScript, as the engine drives it. */
export interface ScriptRun {
  /** The steps that have not ended yet. */
  readonly pending: readonly Step[];
  /** The functions passed to `t.always`, the last one first. */
  readonly cleanUps: readonly CleanUp[];
  /** Calls the recipe's function. */
  run(): Promise<void>;
  /** Waits until no step is pending. */
  settle(): Promise<void>;
  /** Calls a clean-up function. The steps it starts belong to `always` and run under `deadline`. */
  cleanUp(cleanUp: CleanUp, deadline: Deadline, activity?: Activity): Promise<void>;
  /** Ends the run. Steps that the recipe starts later do nothing. */
  end(): void;
}

/**
 * Prepares to run the function of a recipe in TypeScript, whose steps run under `deadline`. In virtual
 * time, `activity` is the work of its own code.
 */
export type OpenScript = (
  body: ScriptBody,
  scope: CaseScope,
  deadline: Deadline,
  activity?: Activity,
) => ScriptRun | Promise<ScriptRun>;
