import { delay, type TimerHandle } from "../runtime/clock.ts";
import { seededRandom } from "../runtime/random.ts";
import { type ActiveCall, ActiveWork } from "./active_work.ts";
import { type FaultPick, FaultSite, hash, identify, type PickFault } from "./fault_site.ts";
import { type AroundWork, CrashError, type Work } from "./work.ts";
import {
  describeWork,
  endOf,
  HANDLERS,
  ownerOf,
  siteOf,
  type WorkFaultName,
} from "./work_fault_kinds.ts";
import type { InjectedFault, WorkFaultsOptions } from "./work_fault_options.ts";

/** The text of the errors that `error` and `fail` throw. */
export const INJECTED_ERROR = "injected by explore";

/** The most by which the faults of one seed make everything later, in milliseconds. */
const MOST_LATENESS = 20_000;
/** How many of the longest delays fit in one seed, if that is more. */
const LONGEST_DELAYS = 2;
/** The part of the delays that are about as long as the longest. */
const LONG_DELAYS = 0.25;
/** How long work waits for other work to begin, in milliseconds. */
const LONGEST_MEETING = 1_000;
/** The shortest and longest time after which the work of a dead process goes on. */
const DOWNTIME = [1_000, 5_000] as const;
/** By how many turns of the microtask queue work that begins together is shifted. */
const MOST_LAG = 8;
/** So often processes die with one seed: a long handler would hardly ever end otherwise. */
const MOST_DEATHS = 5;
/** At so many places in one call of a handler its process can die. */
const MOST_AWAITS = 40;

/** Lets seeded faults happen to the work of a server. The same seed repeats them. */
export class WorkFaults {
  /** The faults that have happened, in order. */
  readonly injected: InjectedFault[] = [];
  /** The keys of the faults that could have happened, by kind, with the job or workflow. */
  readonly possible: Map<WorkFaultName, Map<string, string>> = new Map();
  /** The longest sleep of a run, in milliseconds. */
  longestSleep = 0;
  /** The shortest timeout of a wait for events, in milliseconds. */
  shortestWait = Infinity;
  /** The longest timeout of a wait for events, in milliseconds. */
  longestWait = 0;
  /** The runs of which a wait has timed out. */
  readonly timedOut: Set<string> = new Set();
  readonly #options: WorkFaultsOptions;
  readonly #start: number;
  readonly #counts = new Map<string, number>();
  /** The work that fails for good, by the id of its job or run and its name. */
  readonly #failing = new Set<string>();
  /** The jobs and workflows of which one fails for good. */
  readonly #failingOwners = new Set<string>();
  #deaths = 0;
  /** The work that has crashed once its function had returned, in the same form. */
  readonly #crashed = new Set<string>();
  readonly #meetings = new Set<PromiseWithResolvers<void>>();
  readonly #active = new ActiveWork();
  #lateness = 0;

  constructor(options: WorkFaultsOptions) {
    this.#options = options;
    this.#start = options.clock.now();
  }

  /** By how many milliseconds the faults so far make everything later. */
  get lateness(): number {
    return this.#lateness;
  }

  /** How long sleeps and waits may take that runs repeat when they resume, in milliseconds. */
  get longestRepeats(): number {
    return MOST_DEATHS * Math.max(this.longestSleep, this.longestWait);
  }

  /** Carries out a piece of work, with faults. */
  readonly around: AroundWork = async (work, run) => {
    const site = new FaultSite(work, this.#ordinal(siteOf(work)), this.#pick);
    const { kind, ms = 0 } = work;
    if (kind === "sleep") this.longestSleep = Math.max(this.longestSleep, ms);
    if (kind === "wait") {
      this.shortestWait = Math.min(this.shortestWait, ms);
      this.longestWait = Math.max(this.longestWait, ms);
    }
    const identity = identify(work);
    if (this.#failing.has(identity)) throw new Error(INJECTED_ERROR);
    // What has had its effect does not fail for good: no compensation could take that back.
    const fails = this.#crashed.has(identity) ? undefined : site.happens("fail");
    if (fails) {
      this.#failing.add(identity);
      this.#failingOwners.add(ownerOf(work));
      this.#report(fails, `${describeWork(work)} failed, as it always does from then on`);
      throw new Error(INJECTED_ERROR);
    }
    const late = site.happens("delay");
    const isBefore = late !== undefined && late.random() < 0.5;
    if (late && isBefore) await this.#delay(late, `${describeWork(work)} began`);
    if (site.can("order")) await this.#meet(site);
    if (kind === "wait") {
      this.#crashBefore(site);
      this.#expire(site);
    }
    const twice = site.happens("duplicate");
    const result = await (twice ? this.#runTwice(twice, site, run) : this.#run(site, run));
    if (late && !isBefore) await this.#delay(late, `${describeWork(work)} ended`);
    if (kind !== "wait") this.#crashAfter(site);
    return result;
  };

  /** Returns a fault if it happens. */
  readonly #pick: PickFault = (kind, key, owner) => {
    const { seed, chances, only } = this.#options;
    const keys = this.possible.get(kind) ?? new Map<string, string>();
    this.possible.set(kind, keys.set(key, owner));
    const random = seededRandom(hash(`${seed} ${key}`));
    const chance = random();
    // The delay of a fault must not depend on how likely it was.
    const happens = only ? only.has(key) : chance < (chances[kind] ?? 0) && this.#may(kind, owner);
    return happens ? { key, random } : undefined;
  };

  #may(kind: WorkFaultName, owner: string): boolean {
    if (kind === "crash" || kind === "restart") return this.#deaths < MOST_DEATHS;
    if (kind !== "fail" && kind !== "expire") return true;
    // Nothing survives that all the jobs of a name fail, of which each does what another has left.
    return !this.#failingOwners.has(owner) && (this.#options.mayFail?.(owner) ?? true);
  }

  #ordinal(site: string): number {
    const count = (this.#counts.get(site) ?? 0) + 1;
    this.#counts.set(site, count);
    return count;
  }

  #report({ key }: FaultPick, text: string): void {
    const fault = { key, at: this.#options.clock.now() - this.#start, text };
    this.injected.push(fault);
    this.#options.onFault?.(fault);
  }

  /** Takes some time from what the faults of a seed may take together. */
  #spend(wanted: number): number {
    const most = Math.max(MOST_LATENESS, LONGEST_DELAYS * this.#options.longestDelay);
    const ms = Math.min(wanted, most - this.#lateness);
    this.#lateness += ms;
    return ms;
  }

  async #delay(pick: FaultPick, what: string): Promise<void> {
    const { clock, longestDelay } = this.#options;
    // Most delays are short: so many different lengths are tried.
    const isLong = pick.random() < LONG_DELAYS;
    const part = pick.random();
    const wanted = Math.round(isLong ? longestDelay * (0.8 + part / 5) : longestDelay ** part);
    const ms = this.#spend(wanted);
    this.#report(pick, `${what} ${ms} ms late`);
    await delay(ms, { clock });
  }

  /** Lets work that waits for other work begin, and waits for other work if that is the fault. */
  async #meet(site: FaultSite): Promise<void> {
    const waiting = [...this.#meetings];
    this.#meetings.clear();
    for (const meeting of waiting) meeting.resolve();
    if (waiting.length > 0) return await waiting[0]!.promise;
    const pick = site.happens("order");
    if (!pick) return;
    const { clock } = this.#options;
    const lag = Math.floor(pick.random() * MOST_LAG);
    const at = this.injected.length;
    this.#report(pick, `${describeWork(site.work)} waited until other work began`);
    const meeting = Promise.withResolvers<void>();
    this.#meetings.add(meeting);
    const ms = this.#spend(LONGEST_MEETING);
    const timer: TimerHandle = clock.setTimeout(() => {
      if (!this.#meetings.delete(meeting)) return;
      this.injected[at]!.text += `; none did in ${ms} ms`;
      meeting.resolve();
    }, ms);
    await meeting.promise;
    clock.clearTimeout(timer);
    for (let turn = 0; turn < lag; turn++) await undefined;
  }

  #crashBefore(site: FaultSite): void {
    const pick = site.happens("crash");
    if (!pick) return;
    const { name, workflow } = site.work;
    throw this.#crash(pick, site, `the run of ${workflow} crashed before it waited (${name})`);
  }

  #expire(site: FaultSite): void {
    const pick = site.happens("expire");
    if (!pick) return;
    const { work } = site;
    this.#failingOwners.add(ownerOf(work));
    work.expire!();
    this.#report(pick, `${describeWork(work)} ran out, because its event came too late`);
  }

  #crashAfter(site: FaultSite): void {
    const what = describeWork(site.work);
    const end = `${endOf(site.work)}, before its result was stored`;
    const crash = site.happens("crash");
    if (crash) throw this.#crash(crash, site, `${what} crashed after ${end}`);
    const restart = site.happens("restart");
    if (restart) throw this.#restart(restart, site, `${what}: all processes died after ${end}`);
    const error = site.work.isRetried ? site.happens("error") : undefined;
    if (!error) return;
    this.#report(error, `${what} failed after ${endOf(site.work)}, and is retried`);
    throw new Error(INJECTED_ERROR);
  }

  #crash(pick: FaultPick, { work }: FaultSite, text: string): CrashError {
    if (work.kind !== "wait") this.#crashed.add(identify(work));
    const ms = this.#downtime(pick);
    this.#report(pick, `${text}; it runs again ${ms} ms later`);
    // The other handlers of the process die, too.
    this.#active.stop(work.id!);
    return new CrashError(ms);
  }

  #restart(pick: FaultPick, { work }: FaultSite, what: string): CrashError {
    const ms = this.#downtime(pick);
    this.#report(pick, `${what}; everything runs again ${ms} ms later`);
    const error = new CrashError(ms);
    for (const lost of [work, ...this.#active.kill(error)]) this.#crashed.add(identify(lost));
    this.#options.onRestart?.();
    return error;
  }

  #downtime(pick: FaultPick): number {
    this.#deaths++;
    const [least, most] = DOWNTIME;
    return this.#spend(Math.round(least + pick.random() * (most - least)));
  }

  async #run<T>(site: FaultSite, run: () => Promise<T>): Promise<T> {
    const { work } = site;
    if (work.id === undefined) return await run();
    const isHandler = (HANDLERS as readonly string[]).includes(work.kind);
    return await this.#active.run(
      work,
      (call) => isHandler ? this.#call(site, call, run) : this.#wait(work, run),
    );
  }

  async #wait<T>(work: Work, run: () => Promise<T>): Promise<T> {
    if (work.kind !== "wait") return await run();
    try {
      const result = await run();
      if (result === undefined) this.timedOut.add(work.id!);
      return result;
    } catch (error) {
      this.timedOut.add(work.id!);
      throw error;
    }
  }

  /** Calls a handler, whose process may die after each of its `await`s. */
  #call<T>(site: FaultSite, call: ActiveCall, run: () => Promise<T>): Promise<T> {
    const { watchAwaits } = this.#options;
    if (!watchAwaits) return run();
    let awaits = 0;
    return watchAwaits(run, () => {
      if (call.isDead || ++awaits > MOST_AWAITS) return call.isDead;
      const pick = site.happens("crash", awaits);
      if (!pick) return false;
      const text = `${describeWork(site.work)} crashed in the middle, after await ${awaits}`;
      call.die(this.#crash(pick, site, text));
      return true;
    });
  }

  async #runTwice<T>(pick: FaultPick, { work }: FaultSite, run: () => Promise<T>): Promise<T> {
    this.#report(pick, `${describeWork(work)} was sent twice`);
    await run();
    return await run();
  }
}
