import type { Evidence, Rule } from "./rules.ts";

/** Matches the format that a request or an answer to `auth` names. */
const FORMAT = /"format":"(\w+)"/;

/** How the request begins with which a client shows its token. */
const AUTH = '{"id":"auth"';

/** Rule 6: a client asks for MessagePack on each connection until it falls back to JSON. */
function* formatIsAskedFor({ actors, model, world }: Evidence): Iterable<string> {
  for (const { name: client, plan, statuses } of actors) {
    const { worldAt: until = Infinity } = statuses.find(({ status }) =>
      status.type === "format_fallback"
    ) ?? {};
    for (const { name: connection, client: owner, openedAt } of world.connections) {
      // At the time of the fallback either is right.
      if (owner !== client || openedAt === until) continue;
      const auth = model.world.trace.find(({ who, frame }) =>
        who === connection && frame?.startsWith(AUTH)
      );
      if (!auth) continue;
      const asked = FORMAT.exec(auth.frame!)?.[1];
      if (asked === (openedAt < until ? plan.format : undefined)) continue;
      yield `6: ${connection} asks for ${asked ?? "JSON"} at ${auth.at}`;
    }
  }
}

/** Rule 6: a client says which format a connection has, and that it fell back, if it had to. */
function* formatIsTold({ actors, model, program }: Evidence): Iterable<string> {
  for (const { name: client, plan, statuses } of actors) {
    let hasFallenBack = false;
    for (const { at, status } of statuses) {
      if (status.type === "format_fallback") {
        hasFallenBack = true;
        // A connection that was refused says nothing about MessagePack.
        const isHarmed = model.world.trace.some(({ who, frame }) =>
          who.startsWith(`${client}#`) && model.harmed.has(who) && frame?.startsWith(AUTH)
        );
        const hasCause = plan.format && (program.cutsMsgpack || isHarmed);
        if (!hasCause) yield `6: ${client} fell back at ${at} without a cause`;
      }
      if (status.type !== "connected") continue;
      const answer = model.world.trace.find(({ frame }) =>
        frame?.includes(`"session_id":"${status.sessionId}"`)
      );
      const format = FORMAT.exec(answer?.frame ?? "")?.[1];
      if (status.format !== format) {
        yield `6: ${client} says that ${status.sessionId} is ${status.format}, not ${format}`;
      }
      if (plan.format && format !== plan.format && !hasFallenBack) {
        yield `6: ${client} is connected at ${at} with ${format} and told nobody of it`;
      }
    }
  }
}

/** Rule 6: a frame that cannot be read is told with a stable code, whatever its format. */
function* anomaliesHaveCodes({ actors }: Evidence): Iterable<string> {
  for (const { name: client, statuses } of actors) {
    for (const { at, status } of statuses) {
      if (status.type !== "anomaly" || Object(status.cause).code !== undefined) continue;
      yield `6: ${client} reports an anomaly without a code at ${at}: ${status.cause}`;
    }
  }
}

/** Rules about the format of frames. */
export const FORMAT_RULES: readonly Rule[] = [formatIsAskedFor, formatIsTold, anomaliesHaveCodes];
