import { deepEqual, match, rejects } from "node:assert/strict";
import { test } from "node:test";
import { replay, type ReplayOptions } from "./replay.ts";
import { type ScriptedServer, scriptedServer } from "./scripted_server.ts";
import { parseTranscript } from "./transcript.ts";

const JOB = "job_01m86ewx8zewr8d3at8zp36rsj";
const OTHER_JOB = "job_01m86ewx8zewr8d3at8zp36rsk";

const open = { conn: "a", open: true };
const close = { conn: "a", close: "client" };
const send = (id: string, data?: unknown) => ({ conn: "a", send: { id, data } });
const answer = (id: string, data?: unknown) => ({ type: "response", correl_id: id, data });
const event = (type: string, job: string) => ({ type: "event", data: { type, job_id: job } });
const recv = (frame: unknown) => ({ conn: "a", recv: frame });

/** Replays steps against a server that says `frames` to whatever comes first. */
async function play(
  steps: unknown[],
  frames: unknown[],
  options: ReplayOptions = {},
): Promise<void> {
  const server = await scriptedServer((say, socket) => {
    socket.once("message", () => frames.forEach(say));
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
    await replay(server.url, transcript, { timeout: 150, settle: 30, ...options });
  } finally {
    await server.close();
  }
}

test("a server that keeps to the transcript passes", async () => {
  await play(
    [open, send("q1"), recv(answer("q1", { job_id: "$job1" })), recv(event("x", "$job1")), close],
    [answer("q1", { job_id: JOB }), event("x", JOB)],
  );
});

test("an event may come before or after an answer", async () => {
  const steps = [open, send("q1"), recv(answer("q1", "$job1")), recv(event("x", "$job1")), close];
  await play(steps, [event("x", JOB), answer("q1", JOB)]);
  await play(
    [open, send("q1"), recv(event("x", "$job1")), recv(answer("q1", "$job1")), close],
    [answer("q1", JOB), event("x", JOB)],
  );
});

test("answers in another order fail, with the line", async () => {
  await rejects(
    play(
      [open, send("q1"), send("q2"), recv(answer("q1")), recv(answer("q2")), close],
      [answer("q2"), answer("q1")],
    ),
    /t:5 \(a recv\): frame\.correl_id: "q1" expected, "q2" came/,
  );
});

test("events in another order fail", async () => {
  await rejects(
    play(
      [open, send("q1"), recv(event("one", JOB)), recv(event("two", JOB)), close],
      [event("two", JOB), event("one", JOB)],
    ),
    /frame\.data\.type: "one" expected, "two" came/,
  );
});

test("job.enqueued may come late if one says so, other events may not", async () => {
  const [enqueued, started, done] = ["job.enqueued", "job.started", "job.completed"]
    .map((type) => event(type, JOB));
  const steps = [open, send("q1"), recv(enqueued), recv(started), recv(done), close];
  await play(steps, [started, enqueued, done], { lateEnqueued: true });
  await rejects(play(steps, [started, enqueued, done]), /"job.enqueued" expected/);
  await rejects(
    play(steps, [done, enqueued, started], { lateEnqueued: true }),
    /"job.started" expected, "job.completed" came/,
  );
});

test("a field too many fails", async () => {
  await rejects(
    play([open, send("q1"), recv(answer("q1")), close], [{ ...answer("q1"), channel: "jobs" }]),
    /frame\.channel: expected absent, but "jobs" came/,
  );
});

test("an event that does not come fails, and the message tells what did", async () => {
  await rejects(
    play([open, send("q1"), recv(event("x", JOB)), close], [answer("q1")]),
    /no event: nothing came within 150 ms; what did come: .*"q1"/,
  );
});

test("an event that the transcript does not have fails", async () => {
  await rejects(
    play([open, send("q1"), recv(answer("q1")), close], [answer("q1"), event("x", JOB)]),
    /t:5 \(a close\): 1 more came than the transcript has: .*"event"/,
  );
});

test("an answer that the transcript does not have fails, also where no close is written", async () => {
  await rejects(
    play([open, send("q1"), recv(answer("q1"))], [answer("q1"), answer("q1")]),
    /1 more came than the transcript has/,
  );
});

test("another value than the one bound fails", async () => {
  await rejects(
    play(
      [open, send("q1"), recv(answer("q1", "$job1")), recv(event("x", "$job1")), close],
      [answer("q1", JOB), event("x", OTHER_JOB)],
    ),
    new RegExp(`frame.data.job_id: "${JOB}" expected, "${OTHER_JOB}" came`),
  );
});

test("what is sent carries the bound value, after everything above it has come", async () => {
  const heard: unknown[] = [];
  const server = await scriptedServer((say, socket) => {
    socket.on("message", (bytes: unknown) => {
      heard.push(JSON.parse(String(bytes)));
      if (heard.length > 1) return say(answer("q2"));
      setTimeout(() => {
        heard.push("answered");
        say(answer("q1", JOB));
      }, 50);
    });
  });
  await playOn(server, [
    open,
    send("q1"),
    recv(answer("q1", "$job1")),
    send("q2", { channel: "job:$job1" }),
    recv(answer("q2")),
    close,
  ]);
  deepEqual(heard, [{ id: "q1" }, "answered", { id: "q2", data: { channel: `job:${JOB}` } }]);
});

test("text is sent as it is", async () => {
  let heard = "";
  const server = await scriptedServer((say, socket) => {
    socket.on("message", (bytes: unknown) => {
      heard = String(bytes);
      say(answer("x"));
    });
  });
  await playOn(server, [open, { conn: "a", text: '{"a" :\t1}x' }, recv(answer("x")), close]);
  match(heard, /^\{"a" :\t1\}x$/);
});

test("a server's close is waited for, and missed when it does not come", async () => {
  const steps = [open, send("q1"), { conn: "a", close: "server" }];
  const closing = await scriptedServer((_, socket) => {
    socket.once("message", () => setTimeout(() => socket.terminate(), 30));
  });
  await playOn(closing, steps);
  await rejects(play(steps, []), /t:4 \(a close\): the server did not close within 150 ms/);
});

test("a connection lost too early fails at once", async () => {
  const dying = await scriptedServer((_, socket) => {
    socket.once("message", () => socket.terminate());
  });
  await rejects(
    playOn(dying, [open, send("q1"), recv(answer("q1"))]),
    /no answer: the connection closed with code/,
  );
});

test("a message that is no JSON fails", async () => {
  await rejects(play([open, send("q1"), recv(answer("q1"))], ["nope"]), /not JSON: nope/);
});

test("two connections have queues of their own", async () => {
  const server = await scriptedServer((say, socket) => {
    socket.on("message", (bytes: unknown) => say(answer(JSON.parse(String(bytes)).id)));
  });
  await playOn(server, [
    open,
    { conn: "b", open: true },
    send("q1"),
    { conn: "b", send: { id: "q2" } },
    { conn: "b", recv: answer("q2") },
    recv(answer("q1")),
    close,
    { conn: "b", close: "client" },
  ]);
});
