import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import {
  callMethod,
  cancel,
  cancelJob,
  channelRequest,
  enqueueRequests,
  getJob,
  getRun,
  getStats,
  getTimeline,
  isRead,
  publishEvent,
  send,
  textFields,
  toJson,
} from "../../client/connection/requests.ts";
import type { Request, Transport } from "../../client/connection/transport.ts";
import type { CallOptions, WriteOptions } from "../../mod.ts";
import { FakeTransport } from "../helpers/fake_transport.ts";

test("those who wait for a job hear of its cancelling once the server has answered", async () => {
  const transport = new FakeTransport();
  const heard: string[] = [];
  transport.onCancel.add((id) => heard.push(id));
  const done = cancel(transport, "job_1");
  deepEqual(heard, []);
  await transport.answer("job.cancel", {});
  await done;
  deepEqual(heard, ["job_1"]);
});

test("only methods that read are sent again after a lost connection", () => {
  for (const method of ["stats", "job.get", "cron.list", "workflow.timeline"]) {
    equal(isRead(method), true, method);
  }
  for (const method of ["my.stats", "statsreset", "job.getnext", "job.cancel"]) {
    equal(isRead(method), false, method);
  }
});

test("a request names its channel, and is not sent again once it has left", () => {
  const { what, retry } = channelRequest("unsubscribe", "queue:mail");
  deepEqual({ what, retry }, { what: "unsubscribe from 'queue:mail'", retry: "not-sent" });
  equal(channelRequest("subscribe", "queue:mail").what, "subscribe to 'queue:mail'");
});

test("rejects with `bad_payload` and the cause, and finds a BigInt beside null", () => {
  throws(() => toJson("send", { a: null, b: "text", c: [1n] }), (error: Error) => {
    equal(error.message, "Cannot send: the payload is not JSON-serializable: a BigInt at `c[0]`");
    return error.cause instanceof TypeError;
  });
});

test("rejects with `bad_answer` and names the missing field", () => {
  throws(() => textFields("send", { job_id: "j" }, "job_id", "queue"), {
    code: "bad_answer",
    message: "Cannot send: the answer has no queue",
    delivery: "unknown",
  });
});

test("each request has its method, its data as JSON text, and what it is about", () => {
  const requests: [Request, Partial<Request>][] = [
    [getJob("j'1"), {
      what: "get job 'j'1'",
      method: "job.get",
      data: '{"job_id":"j\'1"}',
      subject: "j'1",
      retry: "unknown",
    }],
    [cancelJob("j1"), {
      what: "cancel job 'j1'",
      method: "job.cancel",
      data: '{"job_id":"j1"}',
      subject: "j1",
      retry: "not-sent",
    }],
    [getRun("r1"), {
      what: "get workflow run 'r1'",
      method: "workflow.get",
      data: '{"run_id":"r1"}',
      subject: "r1",
      retry: "unknown",
    }],
    [getTimeline("r1"), {
      what: "get the timeline of workflow run 'r1'",
      method: "workflow.timeline",
      data: '{"run_id":"r1"}',
      subject: "r1",
      retry: "unknown",
    }],
    [publishEvent("paid", { cents: 1 }), {
      what: "publish event 'paid'",
      method: "workflow.event",
      data: '{"name":"paid","payload":{"cents":1}}',
      subject: "paid",
      retry: "not-sent",
    }],
    [getStats(), { what: "get stats", method: "stats", data: undefined, retry: "unknown" }],
    [callMethod("cron.list", undefined), {
      what: "call 'cron.list'",
      method: "cron.list",
      data: undefined,
      retry: "unknown",
    }],
    [callMethod("dlq.replay", [1]), {
      what: "call 'dlq.replay'",
      method: "dlq.replay",
      data: "[1]",
      retry: "not-sent",
    }],
    [enqueueRequests("noop")({ n: 1 }), {
      what: "enqueue 'noop'",
      method: "job.enqueue",
      data: '{"name":"noop","payload":{"n":1}}',
      subject: "noop",
      retry: "not-sent",
    }],
    [enqueueRequests("noop", { queue: "slow", priority: 3 })(undefined), {
      data: '{"name":"noop","queue":"slow","priority":3,"payload":null}',
    }],
    [channelRequest("subscribe", "jobs"), {
      method: "subscribe",
      data: '{"channel":"jobs"}',
      subject: "jobs",
    }],
  ];
  for (const [request, expected] of requests) {
    const seen = request as unknown as Record<string, unknown>;
    const keys = Object.keys(expected);
    deepEqual(Object.fromEntries(keys.map((key) => [key, seen[key]])), expected);
  }
});

test("each request checks its name or id and its options before it is made", () => {
  const wrong = { timeout: "1s" } as unknown as CallOptions;
  const noName = "" as string;
  const makers: Record<string, [() => unknown, () => unknown]> = {
    "get job": [() => getJob(noName), () => getJob("j", wrong)],
    "cancel job": [() => cancelJob(noName), () => cancelJob("j", wrong)],
    "get workflow run": [() => getRun(noName), () => getRun("r", wrong)],
    "get the timeline": [() => getTimeline(noName), () => getTimeline("r", wrong)],
    "publish event": [() => publishEvent(noName, 1), () => publishEvent("e", 1, wrong)],
    "call ": [() => callMethod(noName, 1), () => callMethod("m", 1, wrong)],
    "enqueue ": [() => enqueueRequests(noName), () => enqueueRequests("n", wrong)],
  };
  for (const [what, [named, optioned]] of Object.entries(makers)) {
    throws(named, {
      code: "bad_options",
      message: new RegExp(`^Cannot ${what}.*'(name|id)' must`),
    });
    throws(optioned, {
      code: "bad_options",
      message: new RegExp(`^Cannot ${what}.*'timeout' must`),
    });
  }
  throws(() => getStats(wrong), { message: /^Cannot get stats: 'timeout' must/ });
});

test("only an enqueue takes a queue, and its own `retry` wins", () => {
  const queue = { queue: "slow" };
  throws(() => cancelJob("j", queue as WriteOptions), { code: "bad_options" });
  equal(cancelJob("j", { retry: "unknown" }).retry, "unknown");
  equal(enqueueRequests("n", { retry: "unknown", timeout: 5 })(1).retry, "unknown");
  equal(enqueueRequests("n", { timeout: 5 })(1).timeout, 5);
});

test("decodes answers, names missing fields, and leaves the answer to `call` as it is", () => {
  deepEqual(enqueueRequests("n")(1).decode({ job_id: "j", queue: "q", state: "s", news: 1 }), {
    job_id: "j",
    queue: "q",
    state: "s",
    news: 1,
  });
  const missing = {
    job_id: { queue: "q", state: "s" },
    queue: { job_id: "j", state: "s" },
    state: { job_id: "j", queue: "q", state: 1 },
  };
  for (const [key, answer] of Object.entries(missing)) {
    throws(() => enqueueRequests("n")(1).decode(answer), {
      code: "bad_answer",
      message: `Cannot enqueue 'n': the answer has no ${key}`,
    });
  }
  throws(() => publishEvent("e", 1).decode({ name: "e" }), /^DispatchError: .*no event_id$/);
  throws(() => publishEvent("e", 1).decode({ event_id: "x" }), /^DispatchError: .*no name$/);
  equal(cancelJob("j").decode({ status: "cancelled" }), undefined);
  const answer = { any: ["thing"] };
  equal(callMethod("m", 1).decode(answer), answer);
});

test("send resolves with the decoded answer", async () => {
  const asked: Request[] = [];
  const transport = {
    request: (request: Request) => {
      asked.push(request);
      return Promise.resolve({ event_id: "evt", name: "e" });
    },
  } as unknown as Transport;
  const request = publishEvent("e", 1);
  deepEqual(await send(transport, request), { event_id: "evt", name: "e" });
  deepEqual(asked, [request]);
});

test("a payload that is not JSON is refused with the reason", () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const failing = {
    toJSON() {
      throw new Error("not today");
    },
  };
  const reasons: [unknown, string][] = [
    [() => {}, "a function"],
    [Symbol("s"), "a symbol"],
    [1n, "a BigInt"],
    [circle, "a circular reference at `self`"],
    [failing, "not today"],
  ];
  for (const [value, why] of reasons) {
    throws(() => toJson("send", value), {
      code: "bad_payload",
      message: `Cannot send: the payload is not JSON-serializable: ${why}`,
    });
  }
  equal(toJson("send", undefined), "null");
  equal(toJson("send", [undefined, "é"]), '[null,"é"]');
});
