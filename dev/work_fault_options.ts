import type { Clock } from "../runtime/clock.ts";
import type { WorkFaultName } from "./work_fault_kinds.ts";

/** Which faults happen to the work of a server. */
export interface WorkFaultsOptions {
  /** The seed of all choices. */
  seed: number;
  /** The clock of the server. */
  clock: Clock;
  /** The probability with which each kind of fault happens where it can. */
  chances: Partial<Record<WorkFaultName, number>>;
  /** The keys of the faults that happen; with them there is no chance. */
  only?: ReadonlySet<string> | undefined;
  /** Whether a job or workflow, such as `workflow:order`, may fail for good. */
  mayFail?: ((owner: string) => boolean) | undefined;
  /** Called when a fault happens; its text may still become longer. */
  onFault?: (fault: InjectedFault) => void;
  /** The longest delay, in milliseconds. */
  longestDelay: number;
  /**
   * Calls a handler, and asks each time before it goes on after an `await` whether its process has
   * died. Then the handler does nothing more, and the promise never settles. Without it, no handler
   * is interrupted.
   */
  watchAwaits?: <T>(run: () => Promise<T>, isDead: () => boolean) => Promise<T>;
  /** Called when all processes have died, and what they had in memory is lost. */
  onRestart?: () => void;
}

/** A fault that happened. */
export interface InjectedFault {
  /** Identifies it among those that can happen: `crash:step:order:charge#2`. */
  key: string;
  /** The time since the start, in milliseconds. */
  at: number;
  /** What happened, in words. */
  text: string;
}
