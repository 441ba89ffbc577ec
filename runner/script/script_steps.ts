import type { AsyncLocalStorage } from "node:async_hooks";
import { delay } from "../../runtime/clock.ts";
import type { Case } from "../engine/case.ts";
import type { Deadline } from "../events/deadline.ts";
import { StepFailure } from "../events/failure.ts";
import { StepRunner } from "../engine/step.ts";
import { literal } from "../expression/template.ts";
import type { Step } from "../language/model.ts";
import type { Phase } from "../language/scope.ts";
import type { Span } from "../language/source.ts";
import type { StepSettings } from "./api.ts";
import { callSite } from "../events/call_site.ts";
import { NOWHERE } from "./function_expression.ts";
import type { Checked } from "./matchers.ts";
import { checkSettings } from "./settings.ts";

/** Whose calls: those of the recipe's function or those of a clean-up, which has a time of its own. */
interface Calls {
  phase: Phase;
  deadline: Deadline;
}

/** What a step does. */
export interface StepMaker {
  /** The fields, as a YAML recipe has them. */
  fields: unknown;
  /** Its line in reports, where the settings have no name. */
  label?: string;
}

/** The steps of a recipe in TypeScript: numbered, run and reported as those of YAML are. */
export class ScriptSteps {
  readonly #case: Case;
  readonly #body: Calls;
  #cleanUp: AsyncLocalStorage<Calls> | undefined;
  #count = 0;
  #over = false;
  readonly #pending = new Map<Promise<unknown>, Step>();

  /** Runs steps in a case. */
  constructor(owner: Case, deadline: Deadline) {
    this.#case = owner;
    this.#body = { phase: "steps", deadline };
  }

  /** Aborted when the caller's time is over or the run is interrupted. */
  get signal(): AbortSignal {
    return this.#calls.deadline.signal;
  }

  /** The steps that are not done. */
  get pending(): readonly Step[] {
    return [...this.#pending.values()];
  }

  /** Waits for steps that nobody awaited, so that none runs on when the recipe has ended. */
  async settle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled([...this.#pending.keys()]);
  }

  /**
   * Calls a clean-up. What it calls, at once and later, belongs to `always`; the recipe's own function
   * may still go on beside it, and its calls do not.
   */
  async clean(deadline: Deadline, cleanup: () => Promise<void> | void): Promise<void> {
    this.#cleanUp ??= new (await import("node:async_hooks")).AsyncLocalStorage();
    await this.#cleanUp.run({ phase: "always", deadline }, cleanup);
  }

  /** From now on calls do nothing. */
  end(): void {
    this.#over = true;
  }

  /**
   * Runs a step.
   * @param own The settings it has besides those of every step.
   * @param make Gives what it does; what it throws is the step's failure.
   */
  async run(
    kind: string,
    settings: StepSettings,
    own: readonly string[],
    make: () => StepMaker,
  ): Promise<Step> {
    const calls = this.#calls;
    if (this.#isClosed(calls)) return await this.#refuse(calls);
    const runner = new StepRunner(this.#case, calls.deadline, this.#case.results);
    let step: Step;
    let wrong: StepFailure | undefined;
    try {
      checkSettings(settings, own);
      const { fields, label } = make();
      const name = settings.name ?? label;
      step = this.#make(calls, kind, fields, name === undefined ? settings : { ...settings, name });
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error;
      wrong = error;
      step = this.#make(calls, kind, {}, { name: kind });
    }
    const running = wrong ? Promise.resolve(runner.instant(step, wrong)) : runner.run(step);
    const done = running.then(async (failure) => {
      // The embedded server can answer without a turn of timers and signals, and so for ever.
      if (this.#count % 100 === 0) await delay(0);
      if (!failure) return step;
      // A failure that the recipe catches is a failure all the same.
      this.#case.fail(failure);
      // Whoever catches it and tries again for ever must leave timers and signals their turn.
      await delay(0);
      throw new StepFailure(failure.kind, failure.message, { lines: failure.lines });
    });
    this.#pending.set(done, step);
    done.catch(() => {}).finally(() => this.#pending.delete(done));
    return await done;
  }

  /** A step that is done when it is called. What `check` throws is its failure. */
  instant(check: () => Checked): void {
    const calls = this.#calls;
    if (this.#isClosed(calls)) throw calls.deadline.signal.reason;
    this.#case.checks++;
    const { label, notMet } = tryCheck(check);
    const step = this.#make(calls, "assert", {}, { name: label });
    const runner = new StepRunner(this.#case, calls.deadline, this.#case.results);
    const failure = runner.instant(
      step,
      notMet && new StepFailure("assertion", notMet.message, { lines: notMet.lines }),
    );
    if (!failure) return;
    this.#case.fail(failure);
    throw new StepFailure(failure.kind, failure.message, { lines: failure.lines });
  }

  /** Prints a line. */
  log(text: string): void {
    const calls = this.#calls;
    if (this.#isClosed(calls)) return;
    const { emit, index } = this.#case.options;
    emit({ type: "log", case: index, step: String(this.#count), phase: calls.phase, text });
  }

  get #calls(): Calls {
    return this.#cleanUp?.getStore() ?? this.#body;
  }

  #isClosed({ deadline }: Calls): boolean {
    return this.#over || deadline.signal.aborted;
  }

  /**
   * What is called by a function that was given up. It has an error to stop at; and none any more once
   * the recipe has ended, for who catches it might call for ever.
   */
  async #refuse({ deadline }: Calls): Promise<never> {
    await delay(0);
    if (this.#over) await new Promise<never>(() => {});
    throw deadline.signal.reason;
  }

  #make(calls: Calls, kind: string, fields: unknown, settings: StepSettings): Step {
    const number = String(++this.#count);
    const { name, within, soft = false } = settings;
    return {
      kind,
      fields,
      number,
      phase: calls.phase,
      span: this.#span(),
      id: `$${calls.phase === "always" ? "always" : ""}${number}`,
      soft,
      ...(name === undefined ? {} : { name: literal(name) }),
      ...(within === undefined ? {} : { within: literal(within) }),
    };
  }

  #span(): Span {
    const { source, module } = this.#case.recipe;
    const site = callSite(module);
    if (!site) return NOWHERE;
    const start = source.offset(site.line, site.column);
    const name = /^[\w.$]+/.exec(source.text.slice(start))?.[0] ?? "";
    return { start, end: start + Math.max(1, name.length) };
  }
}

function tryCheck(check: () => Checked): Checked {
  try {
    return check();
  } catch (error) {
    return { label: "expect", notMet: { message: (error as Error).message, lines: [] } };
  }
}
