import { type CronDefinition, defineCron } from "./define_cron.ts";

/**
 * Creates cron entries for the reference workload: one that fires every second, one that is
 * disabled, and one that fires once a year.
 *
 * @example
 * ```ts
 * import { createDevServer, referenceCrons, referenceWorkload } from "@dispatch/sdk/dev";
 *
 * await using server = await createDevServer({
 *   ...referenceWorkload(),
 *   crons: referenceCrons(),
 * });
 * ```
 */
export function referenceCrons(): CronDefinition[] {
  const email = { subject: "yearly", to: "a@example.com" };
  return [
    defineCron("tick", { schedule: "@every 1s", job: "noop" }),
    defineCron("off", {
      schedule: "@every 1s",
      job: "noop",
      queue: "nobody-reads-this",
      payload: { from: "off" },
      enabled: false,
    }),
    defineCron("yearly", {
      schedule: "@yearly",
      job: "send-email",
      queue: "email",
      payload: email,
    }),
  ];
}
