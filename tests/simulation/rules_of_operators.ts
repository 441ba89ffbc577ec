import type { AdminStats } from "../../mod.ts";
import { callName, type Outcome } from "./actor.ts";
import type { Answered } from "./operator.ts";
import type { Evidence, Rule } from "./rules.ts";
import { workload } from "./workload.ts";

const sum = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((total, count) => total + count, 0);

/** Rule 5: an operator's counts are those that the store had during the call. */
function* countsAreTrue({ actors, model }: Evidence): Iterable<string> {
  // Nothing is published of a job that is replayed.
  const mends = actors.some(({ outcomes }) => outcomes.some(({ op }) => op.do === "operate"));
  if (model.stores.length > 1 || mends) return;
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

/** Whether a call changes only jobs in some states. */
function mayBeRefused({ op, before, after }: Outcome): boolean {
  if (op.do === "cancel") return true;
  if (op.do !== "operate" || op.what !== "retry") return false;
  return before?.state !== "failed" || before.updated_at !== after?.updated_at;
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
      const { error, signal } = outcome;
      const end = endOfWrite(outcome);
      if (end) asked.set(end, (asked.get(end) ?? 0) + 1);
      const { code } = Object(error);
      if (!error || signal || OUTER.includes(code) || isHarmed) continue;
      if (code === 404 || (code === 400 && mayBeRefused(outcome))) continue;
      yield `1: ${callName(outcome)} failed with ${code} for no reason`;
    }
    for (const [end, times] of asked) {
      const sent = own.filter(({ what, frame }) =>
        what.startsWith("requests") && frame!.endsWith(end)
      ).length;
      if (sent > times) yield `2: ${client} sent ${sent} requests to …${end} for ${times} calls`;
    }
  }
}

/** How the addresses of an operator's writes end. */
const WRITES: Readonly<Record<string, string>> = {
  retry: "/retry",
  replay: "/replay",
  replayAll: "/replay-all",
  purge: "/purge",
};

/** Returns how the address of a call's request ends, if it is a write. */
function endOfWrite({ op, asked }: Outcome): string | undefined {
  if (op.do === "cancel") return `/${asked}/cancel`;
  return op.do === "operate" ? WRITES[op.what] : undefined;
}

/** The workflows that the servers have, in alphabetical order. */
const WORKFLOWS = (workload().workflows ?? []).map(({ name }) => name).sort();

/** Rule 5: what an operator asks for happens, and the answer says so. */
function* operatorsMend({ actors, model, program }: Evidence): Iterable<string> {
  if (model.stores.length > 1) return;
  const replays =
    program.steps.filter((step) =>
      "op" in step && step.op.do === "operate" && step.op.what.startsWith("replay")
    ).length;
  for (const outcome of actors.flatMap(({ outcomes }) => outcomes)) {
    const { op, error, result, isSettled } = outcome;
    if (op.do !== "operate" || !isSettled || error) continue;
    const { answer, before, after } = result as Answered;
    const label = `5: ${callName(outcome)}: ${op.what} got ${JSON.stringify(answer)}`;
    const isCounted = (count: number, what: "jobs" | "letters") =>
      count >= before[what] && count <= after[what];
    const { id, job_id, payload, replayed, errors } = Object(answer);
    switch (op.what) {
      case "counts":
        if (!isCounted(sum(Object(answer)), "jobs")) yield label;
        break;
      case "letters":
        if (!isCounted(answer as number, "letters")) yield label;
        break;
      case "workflows":
        if (String(answer) !== String(WORKFLOWS)) yield label;
        break;
      case "letter": {
        const job = model.stores[0]!.job(job_id);
        if (JSON.stringify(job?.payload) !== JSON.stringify(payload)) yield label;
        break;
      }
      case "replay":
        if (!model.stores[0]!.job(id) || after.jobs <= before.jobs) yield label;
        break;
      case "replayAll":
        // A replay of another call counts, too.
        if (errors !== 0 || after.jobs - before.jobs < replayed) yield label;
        if (replays === 1 && replayed < before.letters) yield label;
        break;
      case "purge":
        // Nothing is older than 30 days.
        if (answer !== 0) yield label;
        break;
      case "retry": {
        const { state } = outcome.before ?? {};
        const isSame = outcome.before?.updated_at === outcome.after?.updated_at;
        if (isSame || state === "cancelled") yield `${label}, but ${outcome.asked} stayed ${state}`;
      }
    }
  }
}

/** Rule 1: an operator's hooks get the id that each request is about. */
function* operatorsHooksGetTheId({ actors }: Evidence): Iterable<string> {
  for (const { outcomes, plan, hooked } of actors) {
    if (!plan.hasHooks || plan.transport !== "admin") continue;
    for (const outcome of outcomes) {
      const { asked, isSettled } = outcome;
      if (!asked || !isSettled || hooked.requests.some((it) => it.endsWith(` ${asked}`))) continue;
      yield `1: ${callName(outcome)} was no request about ${asked} for its hooks`;
    }
  }
}

/** Rules about clients of the admin API. */
export const OPERATOR_RULES: readonly Rule[] = [
  countsAreTrue,
  operatorsAreServed,
  operatorsMend,
  operatorsHooksGetTheId,
];
