import type { AsyncLocalStorage } from "node:async_hooks";
import { delay } from "../../runtime/clock.ts";
import type { CaseScope, StepScope } from "../engine/scopes.ts";
import { reportInstantStep, runStep } from "../engine/run_step.ts";
import type { CleanUp } from "../engine/script_run.ts";
import type { Activity } from "../engine/virtual_time.ts";
import { callSite } from "../events/call_site.ts";
import type { Deadline } from "../events/deadline.ts";
import type { EventFailure } from "../events/event.ts";
import { StepFailure } from "../events/failure.ts";
import { literal } from "../expression/template.ts";
import type { Step } from "../language/model.ts";
import type { Phase } from "../language/scope.ts";
import type { Span } from "../language/source.ts";
import { didYouMean } from "../../runtime/suggest.ts";
import type { RunnerClient } from "../steps/context.ts";
import type { StepSettings } from "./api.ts";
import type { CheckResult } from "./matchers.ts";
import { NOWHERE } from "./step_fields.ts";

/** The settings of every step. */
const COMMON_SETTINGS = ["name", "within", "soft"];

/** Who starts a step: the recipe's function, or a clean-up function, which has its own deadline. */
interface CallerPhase {
  phase: Phase;
  deadline: Deadline;
  /** The work of the function's own code, in virtual time. */
  activity: Activity | undefined;
}

/** What a step does. */
export interface StepMaker {
  /** Its fields, as a YAML recipe would have them. */
  fields: unknown;
  /** The line that reports show, unless the settings have a name. */
  label?: string;
}

/** Runs the steps of a TypeScript recipe, numbered and reported like those of YAML. */
export class ScriptSteps {
  readonly #case: CaseScope;
  readonly #body: CallerPhase;
  #cleanUpPhase: AsyncLocalStorage<CallerPhase> | undefined;
  #count = 0;
  #ended = false;
  readonly #pending = new Map<Promise<unknown>, Step>();

  /** Prepares to run steps in a case. */
  constructor(scope: CaseScope, deadline: Deadline, activity?: Activity) {
    this.#case = scope;
    this.#body = { phase: "steps", deadline, activity };
  }

  /** The client, whose pending calls let virtual time skip. */
  get client(): RunnerClient {
    const { client } = this.#case;
    return this.#caller.activity?.client(client) ?? client;
  }

  /** Aborts when the caller's time is over or the run is interrupted. */
  get signal(): AbortSignal {
    return this.#caller.deadline.signal;
  }

  /** The steps that have not ended yet. */
  get pending(): readonly Step[] {
    return [...this.#pending.values()];
  }

  /** Waits for all steps, including those that the recipe does not await. */
  async settle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.allSettled([...this.#pending.keys()]);
  }

  /**
   * Calls a clean-up function. The steps it starts, now or later, belong to `always`. The recipe's
   * function may still be running, and its steps do not.
   */
  async cleanUp(cleanUp: CleanUp, deadline: Deadline, activity?: Activity): Promise<void> {
    this.#cleanUpPhase ??= new (await import("node:async_hooks")).AsyncLocalStorage();
    await this.#cleanUpPhase.run({ phase: "always", deadline, activity }, cleanUp);
  }

  /** Ends the recipe. Steps that it starts later do nothing. */
  end(): void {
    this.#ended = true;
  }

  /**
   * Runs a step.
   *
   * @param own The names of the settings that only this kind of step has.
   * @param make Returns what the step does. If it throws, the step fails.
   */
  async run(
    kind: string,
    settings: StepSettings,
    own: readonly string[],
    make: () => StepMaker,
  ): Promise<Step> {
    const caller = this.#caller;
    if (this.#isClosed(caller)) return await this.#refuse(caller);
    let step: Step;
    let invalid: StepFailure | undefined;
    try {
      checkSettings(settings, own);
      const { fields, label } = make();
      const name = settings.name ?? label;
      step = this.#create(caller, kind, fields, {
        ...settings,
        ...(name === undefined ? {} : { name }),
      });
    } catch (error) {
      if (!(error instanceof StepFailure)) throw error;
      invalid = error;
      step = this.#create(caller, kind, {}, { name: kind });
    }
    const scope = this.#scope(caller);
    const running = invalid
      ? Promise.resolve(reportInstantStep(step, scope, invalid))
      : runStep(step, scope);
    const done = running.then(async (failure) => {
      // The embedded server answers without a turn of the event loop. A recipe that calls step after
      // step must give timers and signals a turn now and then.
      if (this.#count % 100 === 0) await this.#takeTurn();
      if (!failure) return step;
      const error = this.#fail(failure);
      // A recipe that catches every failure and tries again must give them a turn as well.
      await this.#takeTurn();
      throw error;
    });
    this.#pending.set(done, step);
    done.catch(() => {}).finally(() => this.#pending.delete(done));
    return await done;
  }

  /** Returns the promise of a step for the recipe. In virtual time it tells when it is awaited. */
  promise<T>(step: Promise<T>): Promise<T> {
    return this.#caller.activity?.whenAwaited(step) ?? step;
  }

  /** Gives timers and signals a turn of the event loop, in which no virtual time passes. */
  async #takeTurn(): Promise<void> {
    const release = this.#case.virtual?.hold();
    await delay(0);
    release?.();
  }

  /**
   * Runs a step that has finished when it is called. If `check` throws, the step fails.
   *
   * @param begun An error made where what is checked was given: its place, if the call has none.
   */
  instant(check: () => CheckResult, begun?: Error): void {
    const caller = this.#caller;
    if (this.#isClosed(caller)) throw caller.deadline.signal.reason;
    this.#case.verdict.checks++;
    const { label, mismatch } = tryCheck(check);
    const step = this.#create(caller, "assert", {}, { name: label }, begun);
    const failure = reportInstantStep(
      step,
      this.#scope(caller),
      mismatch && new StepFailure("assertion", mismatch.message, { lines: mismatch.lines }),
    );
    if (failure) throw this.#fail(failure);
  }

  /** Prints a line. */
  log(text: string): void {
    const caller = this.#caller;
    if (this.#isClosed(caller)) return;
    const { index } = this.#case;
    const step = String(this.#count);
    this.#case.emit({ type: "log", case: index, step, phase: caller.phase, text });
  }

  get #caller(): CallerPhase {
    return this.#cleanUpPhase?.getStore() ?? this.#body;
  }

  #scope({ deadline }: CallerPhase): StepScope {
    const { results } = this.#case;
    return { case: this.#case, deadline, results, locals: {}, onWrite: () => {} };
  }

  #isClosed({ deadline }: CallerPhase): boolean {
    return this.#ended || deadline.signal.aborted;
  }

  /** Fails the case, even if the recipe catches the error that this returns. */
  #fail(failure: EventFailure): StepFailure {
    this.#case.verdict.fail(failure);
    return new StepFailure(failure.kind, failure.message, { lines: failure.lines });
  }

  /**
   * Rejects a step that starts too late, which stops the function that has started it. Once the
   * recipe has ended the promise stays pending: a function that catches errors could go on forever.
   */
  async #refuse({ deadline }: CallerPhase): Promise<never> {
    await delay(0);
    if (this.#ended) await new Promise<never>(() => {});
    throw deadline.signal.reason;
  }

  #create(
    caller: CallerPhase,
    kind: string,
    fields: unknown,
    settings: StepSettings,
    begun?: Error,
  ): Step {
    const number = String(++this.#count);
    const { name, within, soft = false } = settings;
    const { phase } = caller;
    return {
      kind,
      fields,
      number,
      phase,
      span: this.#span(begun),
      id: `$${phase === "always" ? "always" : ""}${number}`,
      soft,
      ...(name === undefined ? {} : { name: literal(name) }),
      ...(within === undefined ? {} : { within: literal(within) }),
    };
  }

  /**
   * Returns the place in the recipe's module that has called into the runner. Bun forgets a function
   * that returns what it calls; without any place it is that of the recipe.
   */
  #span(begun?: Error): Span {
    const { source, module, site = NOWHERE.start } = this.#case.recipe;
    const found = callSite(module) ?? (begun && callSite(module, begun));
    const start = found ? source.offset(found.line, found.column) : site;
    const name = /^[\w.$]+/.exec(source.text.slice(start))?.[0] ?? "";
    return { start, end: start + Math.max(1, name.length) };
  }
}

function tryCheck(check: () => CheckResult): CheckResult {
  try {
    return check();
  } catch (error) {
    return { label: "expect", mismatch: { message: (error as Error).message, lines: [] } };
  }
}

/**
 * Throws if a step's settings have an unknown name. Otherwise a misspelt setting would be ignored.
 *
 * @param own The names of the settings that only this kind of step has.
 */
function checkSettings(settings: unknown, own: readonly string[]): void {
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) {
    throw new StepFailure("evaluation", "the settings of a step must be an object");
  }
  const known = [...COMMON_SETTINGS, ...own];
  const unknown = Object.keys(settings).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const hint = didYouMean(unknown, known) ?? `the settings are ${known.join(", ")}`;
  throw new StepFailure("evaluation", `unknown setting \`${unknown}\`; ${hint}`);
}
