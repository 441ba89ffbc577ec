import type { AdminStats } from "../../mod.ts";
import { callName } from "./actor.ts";
import type { Evidence, Rule } from "./rules.ts";

const sum = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((total, count) => total + count, 0);

/** Rule 5: an operator's counts are those that the store had during the call. */
function* countsAreTrue({ actors, model }: Evidence): Iterable<string> {
  if (model.stores.length > 1) return;
  const published = (type: string, until: number) =>
    model.published.filter(({ event, at }) => event.type === type && at <= until).length;
  for (const { plan, outcomes } of actors) {
    if (plan.transport !== "admin") continue;
    for (const outcome of outcomes) {
      const { op, isSettled, error, result, worldBegin, worldEnd } = outcome;
      if (op.do !== "stats" || !isSettled || error) continue;
      const { jobs, workflows, dlq_count } = result as AdminStats;
      const counts = {
        "job.enqueued": sum(jobs),
        "workflow.started": sum(workflows),
        "job.dlq": dlq_count,
      };
      for (const [type, count] of Object.entries(counts)) {
        const [least, most] = [published(type, worldBegin - 1), published(type, worldEnd)];
        if (count >= least && count <= most) continue;
        yield `5: ${callName(outcome)} counts ${count} ${type}, not ${least} to ${most}`;
      }
    }
  }
}

/** The codes of errors that have to do with the network, the time or the caller. */
const OUTER = ["connect_failed", "timeout", "closed"];

/** Rule 1 and 2: an operator's write is sent once, and a call fails only for a reason. */
function* operatorsAreServed({ actors, model }: Evidence): Iterable<string> {
  for (const { name: client, plan, outcomes } of actors) {
    if (plan.transport !== "admin") continue;
    const own = model.world.trace.filter(({ who }) => who.startsWith(`${client}#`));
    const isHarmed = own.some(({ who }) => model.harmed.has(who));
    const asked = new Map<string, number>();
    for (const outcome of outcomes) {
      const { op, error, signal } = outcome;
      if (op.do === "cancel") asked.set(outcome.asked!, (asked.get(outcome.asked!) ?? 0) + 1);
      const { code } = Object(error);
      if (!error || signal || OUTER.includes(code) || isHarmed) continue;
      if (code === 404 || (code === 400 && op.do === "cancel")) continue;
      yield `1: ${callName(outcome)} failed with ${code} for no reason`;
    }
    for (const [id, times] of asked) {
      const sent = own.filter(({ what, frame }) =>
        what.startsWith("requests") && frame!.endsWith(`/${id}/cancel`)
      ).length;
      if (sent > times) {
        yield `2: ${client} asked ${sent} times to cancel ${id}, not ${times}`;
      }
    }
  }
}

/** Rules about clients of the admin API. */
export const OPERATOR_RULES: readonly Rule[] = [countsAreTrue, operatorsAreServed];
