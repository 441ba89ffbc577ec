import { deepEqual, equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { channelRequest, isRead, textFields, toJson } from "../../client/connection/requests.ts";

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
  });
});
