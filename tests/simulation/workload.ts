import { constantBackoff, defineJob, defineWorkflow, type Workload } from "../../dev/mod.ts";

const ALL = { scopes: ["*"], app: "app", org: "org" };

/** The tokens of clients that get another one when theirs has expired. */
export const FRESH_TOKENS: readonly string[] = ["fresh-1", "fresh-2", "fresh-3", "fresh-4"];

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
    tokens: Object.fromEntries(["demo-token", ...FRESH_TOKENS].map((token) => [token, ALL])),
    backoff: constantBackoff(50),
    queues: ["default"],
  };
}
