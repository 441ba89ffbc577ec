import type { DispatchEvent, Gap } from "../../mod.ts";
import { channelsOf } from "../../protocol/mod.ts";
import type { Reading } from "../simulation/actor.ts";
import { keyOf } from "../simulation/model.ts";
import * as rules from "../simulation/rules.ts";
import * as callRules from "../simulation/rules_of_calls.ts";
import { waitsTellTheOutcome } from "../simulation/rules_of_streams.ts";

/** A gap's times may be this many milliseconds too narrow: those of a client and a server differ. */
const MARGIN = 500;

/** Rule 4: what a subscription yields was published once; what it misses lies in a gap. */
function* subscriptionsAreTold({ actors, model, world }: rules.Evidence): Iterable<string> {
  for (
    const { actor, reading } of actors.flatMap((actor) =>
      actor.subscriptions.map((reading) => ({ actor, reading }))
    )
  ) {
    const { outcome, items, name } = reading;
    const label = `${outcome.client}: step ${outcome.step} (subscribe to '${name}')`;
    const gaps = items.filter((item) => item.type === "gap");
    const events = items.filter((item) => item.type !== "gap");
    const read = new Set(events.map(keyOf));
    if (read.size < events.length) yield `4: ${label} yielded an event twice`;
    for (const event of events) {
      if (!model.byKey.has(keyOf(event))) {
        yield `4: ${label} yielded ${keyOf(event)}, which nobody published`;
      }
    }
    const isHarmed = model.harmed.has(outcome.client);
    // Over HTTP nobody asks whether a silent server is still there.
    const missing = actor.isHttp && isHarmed
      ? []
      : mustRead(reading, model, world.now).filter((event) => !read.has(keyOf(event)));
    for (const event of missing) {
      if (!gaps.some((gap) => covers(gap, event))) {
        yield `4: ${label} misses ${keyOf(event)} without a gap`;
      }
    }
    for (const { reason } of gaps) {
      if (reason === "reconnect" && !isHarmed) {
        yield `4: ${label} was told of a reconnect that did not happen`;
      }
      if (reason === "lost" && !isHarmed && missing.length === 0) {
        yield `4: ${label} was told of a loss that did not happen`;
      }
    }
  }
}

/** The events that a subscription must have read. */
function mustRead(reading: Reading, model: rules.Evidence["model"], now: number): DispatchEvent[] {
  const { outcome, items, ended, isLeft, isBusy, name } = reading;
  if (!outcome.isSettled || outcome.error) return [];
  const last = items.findLast((item) => item.type !== "gap");
  const isOver = ended || isLeft || isBusy;
  const until = isOver ? Date.parse(last?.ts ?? "1970-01-01T00:00:00Z") - MARGIN : now - MARGIN;
  return model.published.map(({ event }) => event).filter((event) =>
    channelsOf(event).includes(name) && Date.parse(event.ts) > outcome.end + 5 &&
    Date.parse(event.ts) < until
  );
}

function covers({ since, until }: Gap, { ts }: DispatchEvent): boolean {
  const at = Date.parse(ts);
  return at >= Date.parse(since) - MARGIN && at <= Date.parse(until) + MARGIN;
}

/** Rule 5: the events of a run are in the order in which it published them. */
function* runsAreInOrder({ actors, model }: rules.Evidence): Iterable<string> {
  for (const { outcome, items, name } of actors.flatMap(({ watches }) => watches)) {
    if (!name.startsWith("wfrun_")) continue;
    // Those that were synthesized have other times.
    const orders = items.filter((item) => item.type !== "gap")
      .flatMap((event) => model.byKey.get(keyOf(event))?.[0]?.order ?? []);
    const isSorted = orders.every((order, at) => at === 0 || order > orders[at - 1]!);
    const first = items.findIndex(({ type }) => type === "workflow.started");
    if (isSorted && first <= 0) continue;
    const types = items.map(({ type }) => type).join(", ");
    yield `5: ${outcome.client}: step ${outcome.step} yielded ${types} of ${name}, out of order`;
  }
}

/** Rule 6: a client has one connection, and one for each start that is under way. */
function* oneConnection({ actors, model, world }: rules.Evidence): Iterable<string> {
  for (const actor of actors) {
    const { name, status, isHttp, statuses } = actor;
    if (isHttp) continue;
    yield* rules.checkBackoff(actor);
    const isSettled = ["connected", "idle", "closed", "failed"].includes(status.type);
    if (!isSettled) yield `6: ${name} is still ${status.type}`;
    const open = world.connections.filter((it) => it.client === name && it.isOpenAtClient).length;
    const running = world.store.runs().filter(({ state }) => state === "running").length;
    // A lane whose peer is silent stays open: it has no pings, since a run may take days.
    if (!model.harmed.has(name) && open > running + (status.type === "connected" ? 1 : 0)) {
      yield `6: ${name} has ${open} connections, with ${running} runs under way`;
    }
    const lost = statuses.find(({ status: { type } }) =>
      type === "disconnected" || type === "lane_lost" || type === "anomaly"
    );
    if (lost && !model.harmed.has(name)) {
      yield `6: ${name} reports ${lost.status.type} without a cause`;
    }
  }
}

/** What must hold as far as it can be seen from outside. */
export const RULES: readonly rules.Rule[] = [
  rules.callsSettle,
  rules.callsSucceed,
  rules.writesHappenOnce,
  rules.handlesAreOwn,
  rules.endsAreTrue,
  waitsTellTheOutcome,
  callRules.readsAreRepeated,
  callRules.drainWaits,
  callRules.callsEndWithTheClient,
  callRules.startsResolveEarly,
  subscriptionsAreTold,
  runsAreInOrder,
  oneConnection,
];
