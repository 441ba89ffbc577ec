import type { Work } from "./work.ts";
import { ownerOf, siteOf, WORK_FAULTS, type WorkFaultName } from "./work_fault_kinds.ts";

/** A fault that happens, with its random numbers. */
export interface FaultPick {
  key: string;
  random: () => number;
}

/** Decides whether a fault happens, and returns it if it does. */
export type PickFault = (kind: WorkFaultName, key: string, owner: string) => FaultPick | undefined;

/** A place where faults can happen: a piece of work. */
export class FaultSite {
  readonly work: Work;
  readonly #pick: PickFault;
  readonly #name: string;

  /** @param ordinal How often there has been work of this name, from 1. */
  constructor(work: Work, ordinal: number, pick: PickFault) {
    this.#pick = pick;
    this.work = work;
    this.#name = ordinal === 1 ? siteOf(work) : `${siteOf(work)}#${ordinal}`;
  }

  /** Returns whether a kind of fault can happen here. */
  can(kind: WorkFaultName): boolean {
    return (WORK_FAULTS[kind].work as readonly string[]).includes(this.work.kind);
  }

  /**
   * Returns a fault if it happens.
   *
   * @param point The number of a place inside of the work.
   */
  happens(kind: WorkFaultName, point?: number): FaultPick | undefined {
    if (!this.can(kind)) return undefined;
    const key = `${kind}:${this.#name}${point === undefined ? "" : `@${point}`}`;
    return this.#pick(kind, key, ownerOf(this.work));
  }
}

/** Identifies a piece of work of a job or run, however often it is done. */
export function identify(work: Work): string {
  return `${work.id} ${siteOf(work)}`;
}

/** The 32-bit FNV-1a hash of a text. */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  return value >>> 0;
}
