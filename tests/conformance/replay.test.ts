import { deepEqual, match, rejects } from "node:assert/strict";
import { test } from "node:test";
import { replay, type ReplayOptions } from "./replay.ts";
import type { ReplayTime } from "./replay_time.ts";
import { type ScriptedServer, scriptedServer } from "./scripted_server.ts";
import { parseTranscript } from "./transcript.ts";

const JOB = "job_01m86ewx8zewr8d3at8zp36rsj";
const OTHER_JOB = "job_01m86ewx8zewr8d3at8zp36rsk";

const open = { conn: "a", open: true };
const close = { conn: "a", close: "client" };
const send = (id: string, data?: unknown) => ({ conn: "a", send: { id, data } });
const response = (id: string, data?: unknown) => ({ type: "response", correl_id: id, data });
const event = (type: string, job: string) => ({ type: "event", data: { type, job_id: job } });
const recv = (frame: unknown) => ({ conn: "a", recv: frame });

/** Counts turns of the event loop as milliseconds, which is enough for sockets in one process. */
const turnTime: ReplayTime = {
  pass: async (ms) => {
    for (let turn = 0; turn < ms; turn++) await new Promise((resolve) => setTimeout(resolve, 1));
  },
  until: async (condition, ms) => {
    for (let turn = 0; turn < ms && !condition(); turn++) await turnTime.pass(1);
    return condition();
  },
  opened: () => {},
};

/** Replays steps against a server that sends `frames` when it receives the first message. */
async function play(
  steps: unknown[],
  frames: unknown[],
  options: ReplayOptions = {},
): Promise<void> {
  const server = await scriptedServer((sendFrame, socket) => {
    socket.once("message", () => frames.forEach(sendFrame));
  });
  await playOn(server, steps, options);
}

async function playOn(
  server: ScriptedServer,
  steps: unknown[],
  options: ReplayOptions = {},
): Promise<void> {
  const lines = [{ transcript: "t", about: "a test" }, ...steps].map((line) =>
    JSON.stringify(line)
  );
  const transcript = parseTranscript(lines.join("\n"), "t.jsonl");
  try {
    await replay(server.url, transcript, { time: turnTime, timeout: 30, settle: 10, ...options });
  } finally {
    await server.close();
  }
}

test("accepts a server that follows the transcript", async () => {
  await play(
    [open, send("q1"), recv(response("q1", { job_id: "$job1" })), recv(event("x", "$job1")), close],
    [response("q1", { job_id: JOB }), event("x", JOB)],
  );
});

test("an event may come before or after a response", async () => {
  const steps = [open, send("q1"), recv(response("q1", "$job1")), recv(event("x", "$job1")), close];
  await play(steps, [event("x", JOB), response("q1", JOB)]);
  await play(
    [open, send("q1"), recv(event("x", "$job1")), recv(response("q1", "$job1")), close],
    [response("q1", JOB), event("x", JOB)],
  );
});

test("rejects responses in a different order, and names the line", async () => {
  await rejects(
    play(
      [open, send("q1"), send("q2"), recv(response("q1")), recv(response("q2")), close],
      [response("q2"), response("q1")],
    ),
    /t:5 \(a recv\): frame\.correl_id: expected "q1", received "q2"/,
  );
});

test("rejects events in a different order", async () => {
  await rejects(
    play(
      [open, send("q1"), recv(event("one", JOB)), recv(event("two", JOB)), close],
      [event("two", JOB), event("one", JOB)],
    ),
    /frame\.data\.type: expected "one", received "two"/,
  );
});

test("`lateEnqueued` allows job.enqueued to come after job.started, and no other change", async () => {
  const [enqueued, started, done] = ["job.enqueued", "job.started", "job.completed"]
    .map((type) => event(type, JOB));
  const steps = [open, send("q1"), recv(enqueued), recv(started), recv(done), close];
  await play(steps, [started, enqueued, done], { lateEnqueued: true });
  await rejects(play(steps, [started, enqueued, done]), /expected "job.enqueued"/);
  await rejects(
    play(steps, [done, enqueued, started], { lateEnqueued: true }),
    /expected "job.started", received "job.completed"/,
  );
});

test("rejects an unexpected field", async () => {
  await rejects(
    play([open, send("q1"), recv(response("q1")), close], [{ ...response("q1"), channel: "jobs" }]),
    /frame\.channel: unexpected "jobs"/,
  );
});

test("rejects when an event is missing, and shows what was received instead", async () => {
  await rejects(
    play([open, send("q1"), recv(event("x", JOB)), close], [response("q1")]),
    /no event: nothing received within 30 ms; received instead: .*"q1"/,
  );
});

test("rejects an event that the transcript does not have", async () => {
  await rejects(
    play([open, send("q1"), recv(response("q1")), close], [response("q1"), event("x", JOB)]),
    /t:5 \(a close\): received 1 more than the transcript has: .*"event"/,
  );
});

test("rejects a response that the transcript does not have, even without a close step", async () => {
  await rejects(
    play([open, send("q1"), recv(response("q1"))], [response("q1"), response("q1")]),
    /received 1 more than the transcript has/,
  );
});

test("rejects a value that differs from the placeholder's", async () => {
  await rejects(
    play(
      [open, send("q1"), recv(response("q1", "$job1")), recv(event("x", "$job1")), close],
      [response("q1", JOB), event("x", OTHER_JOB)],
    ),
    new RegExp(`frame.data.job_id: expected "${JOB}", received "${OTHER_JOB}"`),
  );
});

test("sends a frame with the placeholders' values, after the frames above it were received", async () => {
  const received: unknown[] = [];
  const server = await scriptedServer((sendFrame, socket) => {
    socket.on("message", (bytes: unknown) => {
      received.push(JSON.parse(String(bytes)));
      if (received.length > 1) return sendFrame(response("q2"));
      setTimeout(() => {
        received.push("responded");
        sendFrame(response("q1", JOB));
      }, 5);
    });
  });
  await playOn(server, [
    open,
    send("q1"),
    recv(response("q1", "$job1")),
    send("q2", { channel: "job:$job1" }),
    recv(response("q2")),
    close,
  ]);
  deepEqual(received, [{ id: "q1" }, "responded", { id: "q2", data: { channel: `job:${JOB}` } }]);
});

test("sends text unchanged", async () => {
  let received = "";
  const server = await scriptedServer((sendFrame, socket) => {
    socket.on("message", (bytes: unknown) => {
      received = String(bytes);
      sendFrame(response("x"));
    });
  });
  await playOn(server, [open, { conn: "a", text: '{"a" :\t1}x' }, recv(response("x")), close]);
  match(received, /^\{"a" :\t1\}x$/);
});

test("waits for the server to close, and rejects if it does not", async () => {
  const steps = [open, send("q1"), { conn: "a", close: "server" }];
  const closing = await scriptedServer((_, socket) => {
    socket.once("message", () => setTimeout(() => socket.terminate(), 5));
  });
  await playOn(closing, steps);
  await rejects(play(steps, []), /t:4 \(a close\): the server did not close within 30 ms/);
});

test("rejects at once when the connection closes too early", async () => {
  const dying = await scriptedServer((_, socket) => {
    socket.once("message", () => socket.terminate());
  });
  await rejects(
    playOn(dying, [open, send("q1"), recv(response("q1"))]),
    /no response: the connection closed with code/,
  );
});

test("rejects a message that is not JSON", async () => {
  await rejects(
    play([open, send("q1"), recv(response("q1"))], ["nope"]),
    /received a message that is not JSON: nope/,
  );
});

test("each connection has its own queues", async () => {
  const server = await scriptedServer((sendFrame, socket) => {
    socket.on("message", (bytes: unknown) => sendFrame(response(JSON.parse(String(bytes)).id)));
  });
  await playOn(server, [
    open,
    { conn: "b", open: true },
    send("q1"),
    { conn: "b", send: { id: "q2" } },
    { conn: "b", recv: response("q2") },
    recv(response("q1")),
    close,
    { conn: "b", close: "client" },
  ]);
});
