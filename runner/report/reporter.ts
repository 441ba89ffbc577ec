import type { RunEvent } from "../events/event.ts";

/** Reads the events of a run, and nothing else. One file each. */
export interface Reporter {
  /** Takes one event. */
  report(event: RunEvent): void;
  /** Called once when there are no more, also when a run was interrupted. */
  finish?(): void | Promise<void>;
}

/** Where a reporter or a command writes. */
export interface Output {
  /** Writes text, as it is. */
  write(text: string): void;
  /** Whether a person looks at it live. */
  readonly isTerminal: boolean;
  /** Whether colours are wanted. */
  readonly color: boolean;
  /** How many columns there are now; a person can change it. */
  readonly columns: number;
  /**
   * How many lines the screen has now, where there is one.
   * @default {24}
   */
  readonly rows?: number;
}
