import { type Clock, delay, type TimerHandle } from "../runtime/clock.ts";
import { seededRandom } from "../runtime/random.ts";
import { type AroundWork, CrashError, type Work } from "./work.ts";
import {
  describeWork,
  endOf,
  HANDLERS,
  ownerOf,
  siteOf,
  WORK_FAULTS,
  type WorkFaultName,
} from "./work_fault_kinds.ts";

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

/** Settings of {@linkcode WorkFaults}. */
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
  /** What jobs and runs are doing. */
  readonly #active = new Set<Call>();
  #lateness = 0;

  constructor(options: WorkFaultsOptions) {
    this.#options = options;
    this.#start = options.clock.now();
  }

  /** By how many milliseconds the faults so far make everything later. */
  get lateness(): number {
    return this.#lateness;
  }

  /** Carries out a piece of work, with faults. */
  readonly around: AroundWork = async (work, run) => {
    const site = new Site(this, work, this.#ordinal(siteOf(work)));
    const { kind, ms = 0 } = work;
    if (kind === "sleep") this.longestSleep = Math.max(this.longestSleep, ms);
    if (kind === "wait") this.shortestWait = Math.min(this.shortestWait, ms);
    const failing = `${work.id} ${siteOf(work)}`;
    if (this.#failing.has(failing)) throw new Error(INJECTED_ERROR);
    // What has had its effect does not fail for good: no compensation could take that back.
    const fails = this.#crashed.has(failing) ? undefined : site.happens("fail");
    if (fails) {
      this.#failing.add(failing);
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
  pick(kind: WorkFaultName, key: string, owner: string): Pick | undefined {
    const { seed, chances, only } = this.#options;
    const keys = this.possible.get(kind) ?? new Map<string, string>();
    this.possible.set(kind, keys.set(key, owner));
    const random = seededRandom(hash(`${seed} ${key}`));
    const chance = random();
    // The delay of a fault must not depend on how likely it was.
    const happens = only ? only.has(key) : chance < (chances[kind] ?? 0) && this.#may(kind, owner);
    return happens ? { key, random } : undefined;
  }

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

  #report({ key }: Pick, text: string): void {
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

  async #delay(pick: Pick, what: string): Promise<void> {
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
  async #meet(site: Site): Promise<void> {
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

  #crashBefore(site: Site): void {
    const pick = site.happens("crash");
    if (!pick) return;
    const { name, workflow } = site.work;
    throw this.#crash(pick, site, `the run of ${workflow} crashed before it waited (${name})`);
  }

  #expire(site: Site): void {
    const pick = site.happens("expire");
    if (!pick) return;
    const { work } = site;
    this.#failingOwners.add(ownerOf(work));
    work.expire!();
    this.#report(pick, `${describeWork(work)} ran out, because its event came too late`);
  }

  #crashAfter(site: Site): void {
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

  #crash(pick: Pick, { work }: Site, text: string): CrashError {
    if (work.kind !== "wait") this.#crashed.add(`${work.id} ${siteOf(work)}`);
    const ms = this.#downtime(pick);
    this.#report(pick, `${text}; it runs again ${ms} ms later`);
    // The other handlers of the process die, too.
    for (const call of this.#active) if (call.work.id === work.id) call.isDead = true;
    return new CrashError(ms);
  }

  #restart(pick: Pick, { work }: Site, what: string): CrashError {
    const ms = this.#downtime(pick);
    this.#report(pick, `${what}; everything runs again ${ms} ms later`);
    const error = new CrashError(ms);
    this.#crashed.add(`${work.id} ${siteOf(work)}`);
    for (const call of this.#active) {
      this.#crashed.add(`${call.work.id} ${siteOf(call.work)}`);
      call.die(error);
    }
    this.#options.onRestart?.();
    return error;
  }

  #downtime(pick: Pick): number {
    this.#deaths++;
    const [least, most] = DOWNTIME;
    return this.#spend(Math.round(least + pick.random() * (most - least)));
  }

  async #run<T>(site: Site, run: () => Promise<T>): Promise<T> {
    const { work } = site;
    if (work.id === undefined) return await run();
    const death = Promise.withResolvers<never>();
    const call: Call = {
      work,
      isDead: false,
      die(error) {
        call.isDead = true;
        death.reject(error);
      },
    };
    this.#active.add(call);
    const isHandler = (HANDLERS as readonly string[]).includes(work.kind);
    try {
      const result = isHandler ? this.#call(site, call, run) : this.#wait(work, run);
      return await Promise.race([result, death.promise]);
    } finally {
      this.#active.delete(call);
    }
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
  #call<T>(site: Site, call: Call, run: () => Promise<T>): Promise<T> {
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

  async #runTwice<T>(pick: Pick, { work }: Site, run: () => Promise<T>): Promise<T> {
    this.#report(pick, `${describeWork(work)} was sent twice`);
    await run();
    return await run();
  }
}

/** A fault that happens, with its random numbers. */
interface Pick {
  key: string;
  random: () => number;
}

/** Work that a process is doing. */
interface Call {
  work: Work;
  /** Whether its process has died. */
  isDead: boolean;
  /** Ends it, because its process dies. */
  die(error: CrashError): void;
}

/** A place where faults can happen: a piece of work. */
class Site {
  readonly work: Work;
  readonly #faults: WorkFaults;
  readonly #name: string;

  constructor(faults: WorkFaults, work: Work, ordinal: number) {
    this.#faults = faults;
    this.work = work;
    this.#name = ordinal === 1 ? siteOf(work) : `${siteOf(work)}#${ordinal}`;
  }

  key(kind: WorkFaultName, point?: number): string {
    return `${kind}:${this.#name}${point === undefined ? "" : `@${point}`}`;
  }

  can(kind: WorkFaultName): boolean {
    return (WORK_FAULTS[kind].work as readonly string[]).includes(this.work.kind);
  }

  /** @param point The number of a place inside of the work. */
  happens(kind: WorkFaultName, point?: number): Pick | undefined {
    if (!this.can(kind)) return undefined;
    return this.#faults.pick(kind, this.key(kind, point), ownerOf(this.work));
  }
}

/** The 32-bit FNV-1a hash of a text. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    value = Math.imul(value ^ text.charCodeAt(i), 0x01000193);
  }
  return value >>> 0;
}
