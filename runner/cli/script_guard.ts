import { type ExitCallError, onExitCall } from "../../runtime/exit_calls.ts";
import { onUnhandled } from "../../runtime/process.ts";
import { callSites } from "../events/call_site.ts";
import { causeLines } from "../events/error_causes.ts";
import { toError } from "../events/failure.ts";
import type { Output } from "../report/reporter.ts";

/** What a {@linkcode ScriptGuard} needs. */
export interface ScriptGuardOptions {
  /** Where problems are printed that nothing else reports. */
  err: Output;
  /** Called when the guard starts: the code of recipes can keep the process alive from then on. */
  onStart?: (() => void) | undefined;
}

/**
 * Watches the code of recipes while a command runs. Code that would end the process gets an error
 * instead, and an unhandled error does not end it. While a case runs, the case reports both.
 */
export class ScriptGuard implements Disposable {
  #options: ScriptGuardOptions;
  #stop: (() => void)[] = [];
  #unreported = new Set<Error>();
  #hasProblem = false;

  /** Creates a guard that is not watching yet. */
  constructor(options: ScriptGuardOptions) {
    this.#options = options;
  }

  /** Whether a recipe's code has tried to end the process, or thrown outside a case. */
  get hasProblem(): boolean {
    return this.#hasProblem;
  }

  /** Starts watching. Must be called before code of a recipe is loaded. */
  start(): void {
    if (this.#stop.length > 0) return;
    this.#stop = [
      onExitCall((error) => this.#add(error)),
      onUnhandled((cause) => {
        // The error of a call such as `process.exit` arrives here again if nothing has caught it.
        if (!this.#unreported.has(cause as Error)) this.#add(toError(cause));
      }),
    ];
    this.#options.onStart?.();
  }

  /** Removes an error that the caller will report. */
  take(error: unknown): void {
    this.#unreported.delete(error as Error);
  }

  /** Stops watching, and prints the problems that nobody has reported. */
  [Symbol.dispose](): void {
    for (const stop of this.#stop) stop();
    this.#stop = [];
    for (const error of this.#unreported) {
      const [site] = callSites(error.stack);
      const place = site ? ` (${site.file}:${site.line}:${site.column})` : "";
      const lines = [`error: ${error.message}${place}`, ...causeLines(error)];
      this.#options.err.write(`${lines.join("\n  ")}\n`);
    }
  }

  #add(error: ExitCallError | Error): void {
    this.#hasProblem = true;
    this.#unreported.add(error);
  }
}
