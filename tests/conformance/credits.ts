import { equal } from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Connection, type RawFrame } from "./connection.ts";

const TIMEOUT = 10_000;

/** Holds a server to what it does with the credits of a connection. */
export async function checkCredits(url: string): Promise<void> {
  const connection = await Connection.open(url, TIMEOUT);
  const call = async (method: string, data: unknown): Promise<RawFrame> => {
    connection.send(JSON.stringify({ id: method, type: "request", method, data }));
    return await connection.next("answer", TIMEOUT);
  };
  // A queue that no worker reads: each job makes one event.
  const enqueue = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i++) {
      const answer = await call("job.enqueue", { name: "noop", payload: i, queue: "unread" });
      equal(answer.type, "response");
    }
  };
  const take = async (): Promise<number> => {
    await sleep(200);
    return connection.takeEvents().length;
  };
  try {
    await call("auth", { token: "demo-token" });
    await call("subscribe", { channel: "jobs", credits: 5 });
    await enqueue(990);
    equal(await take(), 990, "events within the credits of a new connection");
    await enqueue(30);
    equal(await take(), 10, "the last of 1,000 events");
    connection.send(JSON.stringify({ id: "c", type: "request", credits: 7 }));
    await enqueue(9);
    equal(await take(), 7, "events after a top-up; what was dropped does not come later");
    await call("unsubscribe", { channel: "jobs" });
    await call("subscribe", { channel: "firehose" });
    await enqueue(1);
    equal(await take(), 0, "events after another subscription, without credits");
  } finally {
    connection.close();
  }
}
