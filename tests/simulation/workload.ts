import { constantBackoff, defineJob, defineWorkflow, type Workload } from "../../dev/mod.ts";

const ALL = { scopes: ["*"], app: "app", org: "org" };

/** The most clients of a program. */
const CLIENTS = 4;

/** The tokens of a client that gets another one when its token has expired. */
export function freshTokens(client: number): string[] {
  return Array.from({ length: 10 }, (_, index) => `fresh-${client}-${index}`);
}

/** The only token of a client. */
export function ownToken(client: number): string {
  return `own-${client}`;
}

/** The tokens that may expire. */
const MORTAL_TOKENS: readonly string[] = Array.from(
  { length: CLIENTS },
  (_, client) => [ownToken(client), ...freshTokens(client)],
).flat();

/** The jobs and workflows of the simulated servers. They take any input. */
export function workload(): Workload {
  const failures = new Map<string, number>();
  return {
    jobs: [
      defineJob("noop", () => {}),
      defineJob("work", (_input, { sleep }) => sleep(40)),
      defineJob("fails", () => {
        throw new Error("boom");
      }),
      defineJob("flaky", (_input, { job_id }) => {
        const failed = failures.get(job_id) ?? 0;
        failures.set(job_id, failed + 1);
        if (failed < 2) throw new Error("not yet");
      }),
    ],
    workflows: [
      defineWorkflow("quick", async (wf) => {
        await wf.step("one", () => {});
        await wf.step("two", () => {});
      }),
      defineWorkflow("nap", async (wf) => {
        await wf.step("before", () => {});
        await wf.sleep("nap", 150);
        await wf.step("after", () => {});
      }),
      defineWorkflow("long", async (wf) => {
        for (const day of ["mon", "tue", "wed", "thu", "fri"]) {
          await wf.step(day, () => {});
          await wf.sleep(`after-${day}`, 700);
        }
      }),
      defineWorkflow("brisk", async (wf) => {
        for (const step of "abcdefghijklmnopqrstuvwx") {
          await wf.step(step, () => {});
          await wf.sleep(`after-${step}`, 10);
        }
      }),
      defineWorkflow("steady", async (wf) => {
        for (let step = 1; step <= 30; step++) {
          await wf.step(`${step}`, () => {});
          await wf.sleep(`after-${step}`, 500);
        }
      }),
      // Longer than it takes to notice that a lane has fallen silent.
      defineWorkflow("slow", async (wf) => {
        for (const step of ["1", "2", "3", "4"]) {
          await wf.step(step, () => {});
          await wf.sleep(`after-${step}`, "9s");
        }
      }),
      // So long that the loss of its lane is noticed while it goes on.
      defineWorkflow("crawl", async (wf) => {
        for (let step = 1; step <= 14; step++) {
          await wf.step(`${step}`, () => {});
          await wf.sleep(`after-${step}`, "4s");
        }
      }),
      defineWorkflow("hour", async (wf) => {
        await wf.sleep("hour", "1h");
        await wf.step("after", () => {});
      }),
      defineWorkflow("gate", async (wf) => {
        await wf.step("reserve", () => {});
        const event = await wf.waitForEvent("go", "2s");
        if (!event) throw new Error("nobody came");
        await wf.step("ship", () => {});
      }),
      defineWorkflow("broken", async (wf) => {
        await wf.step("a", () => {}, { compensate: () => {} });
        await wf.step("b", () => {
          throw new Error("b exploded");
        });
      }),
      defineWorkflow("fan", async (wf) => {
        await wf.parallel("out", [10, 20].map((ms) => ({ sleep }) => sleep(ms)));
      }),
    ],
    tokens: Object.fromEntries(["demo-token", ...MORTAL_TOKENS].map((token) => [token, ALL])),
    backoff: constantBackoff(50),
    queues: ["default", "other"],
  };
}
