import { seededRandom } from "../../../runtime/random.ts";
import type { PlannedCase } from "../../engine/run.ts";
import { type Exploration, type FaultChoice, runSeed, type SeedResult } from "./seed_run.ts";
import { shrink } from "./shrink.ts";
import { judge, type Judgement, type Known } from "./judge.ts";

type WorkFaultName = import("../../../dev/work_fault_kinds.ts").WorkFaultName;

/** The faults that are tried one at a time before others are combined. */
const SINGLE: readonly WorkFaultName[] = [
  "crash",
  "expire",
  "duplicate",
  "error",
  "fail",
  "order",
  "restart",
  "delay",
];
/** Those of them that are tried with several seeds, which decide how long they last. */
const LASTING: readonly WorkFaultName[] = ["order", "delay"];
/** How often these are tried. */
const REPEATS = 4;
/** How many faults happen with a seed, on average. */
const TARGETS = [1, 1, 2, 3, 5, 8];
/** No fault is more likely than that. */
const HIGHEST_CHANCE = 0.5;
/** So many other sets of faults are shown for one failure. */
const MOST_OTHERS = 5;
/** How long to wait for work that does not follow the clock, if it does any, in milliseconds. */
export const FULL_PATIENCE = 2_000;
/** How long to wait for it if it did none in the run without faults. */
export const LEAST_PATIENCE = 50;
/** For so many places it is tried whether the recipe accepts a failure. */
const MOST_PROBES = 100;

/** A failure that was found, with the fewest faults. */
export interface Found {
  /** The run with the fewest faults. */
  result: SeedResult;
  /** The keys of its faults. */
  only: readonly string[];
  /** With how many seeds the recipe failed in this way. */
  seeds: number;
  /** Whether the failure came again when the run was repeated. */
  isRepeatable: boolean;
  /** Other faults that make the recipe fail in the same way. */
  others: { seed: number; only: readonly string[] }[];
}

/** What was found for one case. */
export interface Findings {
  /** The number of seeds that were run. */
  seeds: number;
  failures: Found[];
  /** How many seeds did not count, because a wait of the workload ran out. */
  timedOut: number;
  /** How many seeds did not count, because a handler waited for one of a dead process. */
  blocked: number;
  /** Whether the recipe accepts that some job or run fails. */
  acceptsFailures: boolean;
}

/** How to search. */
export interface SearchOptions {
  /** The kinds of faults. */
  kinds: readonly WorkFaultName[];
  /** The first seed. */
  first: number;
  /** How many seeds to run at most. */
  seeds: number;
  /** Whether to stop at the first failure. */
  bail: boolean;
  /** Returns whether to run another seed. */
  goesOn: () => boolean;
  /** Called after each seed. */
  onSeed: (done: number, failures: number) => void;
}

/** Runs a case with many seeds, and shrinks the faults of each kind of failure. */
export class Search {
  readonly #planned: PlannedCase;
  readonly #exploration: Exploration;
  readonly #options: SearchOptions;
  readonly #known: Known;
  readonly #singles: string[];

  /** @param known What is known from the run without faults. */
  constructor(
    planned: PlannedCase,
    exploration: Exploration,
    options: SearchOptions,
    known: Known,
  ) {
    this.#planned = planned;
    this.#exploration = exploration;
    this.#options = options;
    this.#known = known;
    this.#singles = [];
  }

  /** Searches. */
  async run(): Promise<Findings> {
    const { first, seeds, bail, goesOn, onSeed, kinds } = this.#options;
    if (kinds.includes("fail") || kinds.includes("expire")) await this.#probeFailures();
    this.#singles.push(...this.#listSingles());
    const found = new Map<string, Found>();
    const findings: Findings = {
      seeds: 0,
      failures: [],
      timedOut: 0,
      blocked: 0,
      acceptsFailures: this.#known.accepted.size > 0,
    };
    for (let seed = first; seed < first + seeds && goesOn(); seed++) {
      const result = await this.#runSeed(this.choose(seed));
      if (!goesOn()) break;
      const judgement = this.#judge(result);
      if (judgement.kind === "timed-out") findings.timedOut++;
      if (judgement.kind === "blocked") findings.blocked++;
      if (judgement.kind === "failure") await this.#add(result, judgement.group, found);
      findings.seeds++;
      onSeed(findings.seeds, found.size);
      if (bail && found.size > 0) break;
    }
    findings.failures = [...found.values()];
    return findings;
  }

  /** Returns the faults of a seed. */
  choose(seed: number): FaultChoice {
    // Odd seeds try what can happen one by one, the others combine faults.
    const single = seed % 2 === 1 ? this.#singles[(seed - 1) / 2] : undefined;
    if (single !== undefined) return { seed, chances: {}, only: new Set([single]) };
    const random = seededRandom(Math.imul(seed, 0x9e3779b1));
    const possible = this.#options.kinds.filter((kind) => this.#keys(kind).length > 0);
    const some = possible.filter(() => random() < 0.5);
    const chosen = some.length > 0 ? some : possible;
    const target = TARGETS[Math.floor(random() * TARGETS.length)]!;
    const chances: FaultChoice["chances"] = {};
    for (const kind of chosen) {
      const chance = target / (chosen.length * this.#keys(kind).length);
      chances[kind] = Math.min(HIGHEST_CHANCE, chance);
    }
    return { seed, chances, mayFail: (owner) => this.#known.accepted.has(owner) };
  }

  /** Returns the keys of the faults of a kind that can happen. */
  #keys(kind: WorkFaultName): string[] {
    const all = [...this.#known.possible.get(kind) ?? []];
    return all
      .filter(([, owner]) =>
        kind !== "fail" && kind !== "expire" || this.#known.accepted.has(owner)
      )
      .map(([key]) => key);
  }

  #listSingles(): string[] {
    const all = this.#inTurn(SINGLE);
    const again = this.#inTurn(LASTING);
    return [all, ...Array.from({ length: REPEATS - 1 }, () => again)].flat();
  }

  /** Lists the faults of several kinds: the first of each kind, the second of each, and so on. */
  #inTurn(kinds: readonly WorkFaultName[]): string[] {
    const lists = kinds.filter((kind) => this.#options.kinds.includes(kind))
      .map((kind) => this.#keys(kind));
    const longest = Math.max(0, ...lists.map(({ length }) => length));
    return Array.from({ length: longest }, (_, i) => lists.flatMap((keys) => keys.slice(i, i + 1)))
      .flat();
  }

  /**
   * Finds out of which jobs and workflows the recipe accepts that they fail: for those that it
   * does, it passes at least when they fail in one place.
   */
  async #probeFailures(): Promise<void> {
    const { first, goesOn } = this.#options;
    const places = [...this.#known.possible.get("fail") ?? []].slice(0, MOST_PROBES);
    for (const [key, owner] of places) {
      if (!goesOn()) return;
      const result = await this.#runSeed({ seed: first, chances: {}, only: new Set([key]) });
      if (result.finished.status === "passed" && result.failedOwners.has(owner)) {
        this.#known.accepted.add(owner);
      }
    }
  }

  /** Adds a failure to those that are known, with its smallest set of faults if it has a new one. */
  async #add(result: SeedResult, group: string, found: Map<string, Found>): Promise<void> {
    const same = found.get(group);
    if (!same && result.hasGivenUp && this.#exploration.patience < FULL_PATIENCE) {
      // It may only have been slow, such as a call of another service.
      const { patience } = this.#exploration;
      this.#exploration.patience = FULL_PATIENCE;
      const choice = { seed: result.seed, chances: {}, only: keysOf(result) };
      if (!isFailure(this.#judge(await this.#runSeed(choice)), group)) return;
      this.#exploration.patience = patience;
    }
    if (!same) {
      found.set(group, await this.#shrink(result, group));
      return;
    }
    same.seeds++;
    const keys = new Set(result.faults.injected.map(({ key }) => placeOf(key)));
    const known = [same.only, ...same.others.map(({ only }) => only)];
    const isKnown = known.some((only) => only.every((key) => keys.has(placeOf(key))));
    if (isKnown || same.others.length >= MOST_OTHERS) return;
    const { only, isRepeatable } = await this.#shrink(result, group);
    const places = only.map(placeOf).join();
    if (!isRepeatable || known.some((keys) => keys.map(placeOf).join() === places)) return;
    same.others.push({ seed: result.seed, only });
  }

  async #shrink(result: SeedResult, group: string): Promise<Found> {
    const { seed } = result;
    const all = [...keysOf(result)];
    let smallest: SeedResult | undefined;
    const only = await shrink(all, async (part) => {
      if (!this.#options.goesOn()) return false;
      const shorter = await this.#runSeed({ seed, chances: {}, only: new Set(part) });
      const isSame = isFailure(this.#judge(shorter), group);
      if (isSame) smallest = shorter;
      return isSame;
    });
    const again = await this.#runSeed({ seed, chances: {}, only: new Set(only) });
    const isRepeatable = isFailure(this.#judge(again), group);
    return {
      result: isRepeatable ? again : smallest ?? result,
      only,
      seeds: 1,
      isRepeatable,
      others: [],
    };
  }

  #judge(result: SeedResult): Judgement {
    return judge(result, this.#known);
  }

  async #runSeed(choice: FaultChoice): Promise<SeedResult> {
    return await runSeed(this.#planned, choice, this.#exploration);
  }
}

function keysOf(result: SeedResult): Set<string> {
  return new Set(result.faults.injected.map(({ key }) => key));
}

/** The place of a fault, without the numbers of the time and of the `await`. */
function placeOf(key: string): string {
  return key.replace(/(?:#\d+)?(?:@\d+)?$/, "");
}

function isFailure(judgement: Judgement, group: string): boolean {
  return judgement.kind === "failure" && judgement.group === group;
}
