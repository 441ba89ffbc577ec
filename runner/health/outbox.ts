import type { HealthDatabase } from "./health_database.ts";
import type { Notice, Waiting } from "./model.ts";

/** How long a process may take to send a notice before another one may, in milliseconds. */
export const LEASE = 30_000;

/** The longest pause between two attempts, in milliseconds. */
export const LONGEST_PAUSE = 300_000;

/** The next notice for a target, or when to ask again, in milliseconds since 1970. */
export type Next = { send: Waiting } | { at: number } | undefined;

/** What became of an attempt: the notice is gone, or is tried again. */
export type Settled = "done" | { again: number };

/** Returns the targets that notices wait for. */
export function waitingTargets(database: HealthDatabase): string[] {
  return database.all("SELECT DISTINCT target FROM health_notice").map(({ target }) => target);
}

/** Returns all notices that wait, oldest first. */
export function allWaiting(database: HealthDatabase): Waiting[] {
  return database.all("SELECT target, notice, attempts FROM health_notice ORDER BY id")
    .map(({ target, notice, attempts }) => ({ target, notice: JSON.parse(notice), attempts }));
}

/**
 * Takes the oldest notice for a target, so that no other process sends it meanwhile. Those after it
 * wait until it is settled: a target hears of an alert before it hears that it is resolved.
 */
export function claim(database: HealthDatabase, target: string, sender: string, now: number): Next {
  const row = database.get(
    `SELECT id, notice, attempts, next_at, sender, sending_until FROM health_notice
     WHERE target = ? ORDER BY id LIMIT 1`,
    target,
  );
  if (!row) return undefined;
  const { id, notice, attempts, next_at, sender: other, sending_until } = row;
  // A time that is too far away was written before the clock was set back.
  if (next_at > now && next_at <= now + LONGEST_PAUSE) return { at: next_at };
  const isTaken = other !== null && other !== sender && sending_until > now;
  if (isTaken && sending_until <= now + LEASE) return { at: Math.min(sending_until, now + 1000) };
  database.run(
    "UPDATE health_notice SET sender = ?, sending_until = ? WHERE id = ?",
    ...[sender, now + LEASE, id],
  );
  return { send: { target, notice: JSON.parse(notice), attempts } };
}

/** Removes a notice, or lets it wait for its next attempt. */
export function settle(database: HealthDatabase, { target, notice }: Waiting, how: Settled): void {
  if (how === "done") {
    database.run("DELETE FROM health_notice WHERE target = ? AND key = ?", target, notice.id);
    return;
  }
  database.run(
    `UPDATE health_notice SET attempts = attempts + 1, next_at = ?, sending_until = 0
     WHERE target = ? AND key = ?`,
    ...[how.again, target, notice.id],
  );
}

/** The notices of this process that a history could not take yet, in the order they were made. */
export class MemoryOutbox {
  #waiting: (Waiting & { nextAt: number; isTaken: boolean })[] = [];

  /** Adds a notice. */
  add(waiting: Waiting): void {
    this.#waiting.push({ ...waiting, nextAt: 0, isTaken: false });
  }

  /** Returns the targets that notices wait for. */
  targets(): string[] {
    return [...new Set(this.#waiting.map(({ target }) => target))];
  }

  /** Returns the oldest notice for a target. */
  next(target: string, now: number): Next {
    const first = this.#waiting.find((one) => one.target === target);
    if (!first) return undefined;
    if (first.nextAt > now) return { at: first.nextAt };
    first.isTaken = true;
    return { send: first };
  }

  /** Whether a notice waits that is not being sent now. */
  isUntold(target: string, { id }: Notice): boolean {
    return this.#waiting.some((one) =>
      one.target === target && one.notice.id === id && !one.isTaken
    );
  }

  /** Removes a notice, or lets it wait for its next attempt. Does nothing if it is not here. */
  settle({ target, notice }: Waiting, how: Settled): void {
    const isIt = (one: Waiting) => one.target === target && one.notice.id === notice.id;
    const index = this.#waiting.findIndex(isIt);
    if (index === -1) return;
    if (how === "done") this.#waiting.splice(index, 1);
    else {
      this.#waiting[index]!.attempts++;
      this.#waiting[index]!.nextAt = how.again;
      this.#waiting[index]!.isTaken = false;
    }
  }

  /** Returns all notices, oldest first. */
  all(): readonly Waiting[] {
    return this.#waiting;
  }

  /** Removes all notices. */
  clear(): void {
    this.#waiting = [];
  }
}
