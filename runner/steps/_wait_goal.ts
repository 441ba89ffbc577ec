import { EvaluationError } from "../expression/expression.ts";
import type { EntityReading } from "./_entity_reading.ts";
import type { WaitStep } from "./_wait_step.ts";
import type { StepContext } from "./context.ts";

/** The states that end a wait by default. */
const DEFAULT_STATES = ["completed"];

/** Whether a wait is over. */
export interface GoalCheck {
  /** Whether the goal is reached. */
  reached: boolean;
  /** The error of a condition that asks for a field the job or run does not have yet. */
  missing?: EvaluationError;
}

/** What a wait for a job or run waits for: a checkpoint, a condition or a state. */
export class WaitGoal {
  /** The checkpoint, if the wait is for one. */
  readonly checkpoint: string | undefined;
  #until: WaitStep["until"];

  /** Reads the goal of a wait step. */
  constructor({ until, until_step }: WaitStep, context: StepContext) {
    this.#until = until;
    this.checkpoint = until_step && context.text(until_step);
  }

  /** Returns whether a job or run, as it was read, has reached the goal. */
  check({ state, result, timeline }: EntityReading, context: StepContext): GoalCheck {
    if (this.checkpoint !== undefined) {
      return { reached: timeline.some(({ step_name }) => step_name === this.checkpoint) };
    }
    const until = this.#until;
    if (!until || "states" in until) return { reached: this.#states().includes(state) };
    try {
      return { reached: context.holds(until.expression, { it: result }) };
    } catch (error) {
      if (error instanceof EvaluationError && error.absent) {
        return { reached: false, missing: error };
      }
      throw error;
    }
  }

  /** Describes the goal: `completed or failed`, or the condition. Not for a checkpoint. */
  describe(): string {
    const until = this.#until;
    if (until && "expression" in until) return `\`${until.expression.text}\``;
    return this.#states().join(" or ");
  }

  #states(): readonly string[] {
    const until = this.#until;
    return until && "states" in until ? until.states.map(({ state }) => state) : DEFAULT_STATES;
  }
}
