import { equal } from "node:assert/strict";
import { Connection, type RawFrame } from "./connection.ts";
import { realTime } from "./replay_time.ts";

const TIMEOUT_MS = 10_000;
/** How long to wait for events that must not come. */
const SETTLE_MS = 40;

/** Checks how a server counts the credits of a connection. */
export async function checkCredits(url: string): Promise<void> {
  const connection = await Connection.open(url, realTime);
  const call = async (method: string, data: unknown): Promise<RawFrame> => {
    connection.send(JSON.stringify({ id: method, type: "request", method, data }));
    return await connection.next("response", TIMEOUT_MS);
  };
  // No worker reads this queue, so each job causes one event.
  const enqueue = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const response = await call("job.enqueue", { name: "noop", payload: i, queue: "unread" });
      equal(response.type, "response");
    }
  };
  const expectEvents = async (count: number, message: string): Promise<void> => {
    for (let i = 0; i < count; i++) await connection.next("event", TIMEOUT_MS);
    await call("stats", {});
    await realTime.pass(SETTLE_MS);
    equal(connection.takeEvents().length, 0, message);
  };
  try {
    await call("auth", { token: "demo-token" });
    await call("subscribe", { channel: "jobs", credits: 5 });
    await enqueue(990);
    await expectEvents(990, "all events within the 1,000 credits arrive");
    await enqueue(30);
    await expectEvents(10, "no event arrives after the 1,000th");
    connection.send(JSON.stringify({ id: "c", type: "request", credits: 7 }));
    await enqueue(9);
    await expectEvents(7, "after a top-up of 7 only 7 events arrive, and none that was dropped");
    await call("unsubscribe", { channel: "jobs" });
    await call("subscribe", { channel: "firehose" });
    await enqueue(1);
    await expectEvents(0, "another subscription adds no credits");
  } finally {
    connection.close();
  }
}
