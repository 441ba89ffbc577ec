import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Alerting } from "../../runner/health/decide.ts";
import { HealthStore } from "../../runner/health/health_store.ts";
import type { KeepLimits } from "../../runner/health/keep.ts";
import { DAY } from "../../runner/health/periods.ts";
import type { CheckKey, CheckRun } from "../../runner/health/model.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

/** A check of the tests. */
export const KEY: CheckKey = {
  ...{ name: "Order smoke", file: "smoke.yaml", server: "embedded", tags: ["smoke"] },
  when: "every 1m",
};

/** Alerts after one failure, resolved after one pass, told to one target. */
export const ALERTING: Alerting = { rules: { after: 1, resolveAfter: 1 }, targets: ["ops"] };

/** A run that started at a time. */
export function runAt(at: number, passed: boolean, duration_ms = 10): CheckRun {
  return {
    ...{ slot: at, at, lateness_ms: 0, duration_ms, flaky: false, steps: [] },
    ...(passed
      ? { verdict: "passed", exitCode: 0 }
      : { verdict: "failed", exitCode: 1, failure: "it is false" }),
  };
}

/** Stores of one file, which are closed and removed at the end. */
export class Stores {
  readonly clock = new FakeClock(Date.UTC(2026, 0, 1));
  readonly warnings: string[] = [];
  readonly path: string;
  #directory: string;
  #open = new Set<HealthStore>();

  private constructor(directory: string) {
    this.#directory = directory;
    this.path = join(directory, "health.db");
  }

  /** Creates an empty directory for the file. */
  static async create(): Promise<Stores> {
    return new Stores(await mkdtemp(join(tmpdir(), "dispatch-health-")));
  }

  /** Opens the file, as another process would. */
  async open(keep: KeepLimits = { ms: 90 * DAY }): Promise<HealthStore> {
    const warn = (text: string) => void this.warnings.push(text);
    const sender = `${this.#open.size}`;
    const { clock } = this;
    const store = await HealthStore.open(this.path, { clock, warn, sender, keep, busyTimeout: 20 });
    this.#open.add(store);
    return store;
  }

  /** Closes a store. */
  close(store: HealthStore): void {
    this.#open.delete(store);
    store.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const store of this.#open) store.close();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
