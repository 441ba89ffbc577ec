import { type AlertRaised, type AlertState, NEVER_RUN } from "./alert_rules.ts";
import { type CheckBefore, openIncident } from "./decide.ts";
import type { HealthChange, HealthDatabase } from "./health_database.ts";
import type { Check, Notice } from "./model.ts";

/** Decides what a run or a reminder changes. */
export type Decide = (before: CheckBefore) => HealthChange | undefined;

/** A change that was decided in memory while the file could not be written. */
export interface UnwrittenChange {
  /** The check. */
  check: Check;
  /** Decides anew what the same run or reminder changes. */
  decide: Decide;
  /** What was decided. */
  change: HealthChange;
}

/** What a {@linkcode Merge} has to know. */
export interface MergeOptions {
  /** The file. */
  database: HealthDatabase;
  /** Whether the file already has the last state in memory of a check, because it is a new file. */
  isCopied(check: Check): boolean;
  /** Whether a target does not know of a notice yet, and is not just being told. */
  isUntold(target: string, notice: Notice): boolean;
}

/** A notice for a target. */
interface Told {
  target: string;
  notice: Notice;
}

/**
 * Joins what was decided in memory with what a file says, in one transaction. Memory may not have known
 * the file, or another process may have written to it since. So each run is judged again from the state
 * in the file, until both agree about the alert; from then on the state in memory is the right one.
 */
export class Merge {
  /** The file. */
  readonly database: HealthDatabase;
  #options: MergeOptions;
  /** The checks about whose alert both agree. */
  #agreed = new Set<string>();
  /** The incidents that the file lacked, whose notices nobody has sent yet. */
  #late = new Map<string, HealthChange>();
  #withdrawn: Told[] = [];

  /** Starts with the state in a file. */
  constructor(options: MergeOptions) {
    this.#options = options;
    this.database = options.database;
  }

  /** Whether a notice is not sent any more, because its target knows of the alert from another one. */
  isWithdrawn(target: string, { id }: Notice): boolean {
    return this.#withdrawn.some((one) => one.target === target && one.notice.id === id);
  }

  /** Writes a change. */
  write({ check, decide, change }: UnwrittenChange): void {
    if (this.#agreed.has(check.id) || this.#options.isCopied(check)) return this.#take(change);
    const { database } = this;
    const before = {
      alert: database.alert(check) ?? NEVER_RUN,
      incident: database.incident(check),
    };
    const { notice, incident } = change;
    if (notice?.kind !== "raised" && notice?.kind !== "flapping") {
      return this.#judge(change, decide, before);
    }
    const open = openIncident(before);
    const late = open && this.#late.get(open.id);
    if (late) {
      // The file knew of earlier failures, so that the alert is older than memory thought.
      this.#forget(late);
      return this.#take({ ...change, incident: { ...incident!, since: open.since } });
    }
    if (!open || open.id === incident!.id) return this.#take(change);
    this.#joinIncidents(change, decide, before);
  }

  /** Memory is right: what it has decided is written, and its notices are sent as they are. */
  #take(change: HealthChange): void {
    this.#agreed.add(change.check.id);
    this.database.write({ ...change, targets: [], also: [] });
  }

  /** Memory has raised an alert that the file has as raised. It goes on under the older name. */
  #joinIncidents(mine: HealthChange, decide: Decide, before: CheckBefore): void {
    const told = mine.targets.filter((target) => !this.#withdraw(target, mine.notice!));
    const theirs = decide(before)!;
    const { raised } = theirs.alert;
    if (told.length > 0 && raised) {
      // Each target that was told of the second one is told of its end, too.
      const also = [...raised.also ?? [], { incident: mine.incident!.id, targets: told }];
      const { notifiedAt } = mine.alert.raised!;
      theirs.alert = { ...theirs.alert, raised: { ...raised, notifiedAt, also } };
    }
    this.database.write(theirs);
  }

  /** The file is right: what it decides is written. */
  #judge(mine: HealthChange, decide: Decide, before: CheckBefore): void {
    const { notice, targets } = mine;
    const { alert, knowing } = withoutAlso(before.alert, notice);
    const theirs = decide({ ...before, alert });
    const isSame = notice !== undefined && notice.id === theirs?.notice?.id;
    if (notice && !isSame) {
      for (const target of targets) if (!knowing.includes(target)) this.#withdraw(target, notice);
    }
    if (!theirs) return;
    this.database.write(isSame ? { ...theirs, targets: [] } : theirs);
    const isRaise = theirs.notice?.kind === "raised" || theirs.notice?.kind === "flapping";
    if (isRaise) this.#late.set(theirs.incident!.id, theirs);
  }

  /** Withdraws a notice, unless its target knows of it. Returns whether it is withdrawn. */
  #withdraw(target: string, notice: Notice): boolean {
    const isUntold = this.#options.isUntold(target, notice);
    if (isUntold) this.#withdrawn.push({ target, notice });
    return isUntold;
  }

  /** Takes back an incident that is the same as one that memory has raised a bit later. */
  #forget({ incident, notice, targets }: HealthChange): void {
    this.database.run("DELETE FROM health_incident WHERE id = ?", incident!.id);
    for (const target of targets) {
      this.database.run(
        "DELETE FROM health_notice WHERE target = ? AND key = ?",
        ...[target, notice!.id],
      );
    }
  }
}

/** The state of an alert without the second incident that a notice ends, and who knows of that. */
function withoutAlso(
  alert: AlertState,
  notice: Notice | undefined,
): { alert: AlertState; knowing: readonly string[] } {
  const { also = [], ...raised } = alert.raised ?? {};
  const ended = notice?.kind === "resolved"
    ? also.find(({ incident }) => incident === notice.incident)
    : undefined;
  if (!ended) return { alert, knowing: [] };
  const others = also.filter((one) => one !== ended);
  return {
    alert: {
      ...alert,
      raised: { ...raised as AlertRaised, ...(others.length > 0 ? { also: others } : {}) },
    },
    knowing: ended.targets,
  };
}
