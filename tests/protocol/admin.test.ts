import { deepEqual, throws } from "node:assert/strict";
import { test } from "node:test";
import { decodeCron, decodeDeadLetter } from "../../protocol/admin.ts";
import { encodeBase64 } from "../../protocol/base64.ts";

const LETTER = { id: "dlq_1", job_id: "job_1", job_name: "mail", more: 1 };
const CRON = { id: "cron_1", name: "nightly", schedule: "@daily", more: 1 };
const payload = encodeBase64('{"a":1}');

test("records of the admin API have their payload decoded, and keep unknown fields", () => {
  deepEqual(decodeDeadLetter({ ...LETTER, payload }) as unknown, { ...LETTER, payload: { a: 1 } });
  deepEqual(decodeCron({ ...CRON, payload }) as unknown, { ...CRON, payload: { a: 1 } });
  const bytes = { ...CRON, payload: "not base64!" };
  deepEqual(decodeCron(bytes) as unknown, bytes);
});

test("a cron entry without a payload is decoded without one, and the record is not changed", () => {
  deepEqual(decodeCron(CRON) as unknown, CRON);
  const record = { ...CRON, payload };
  decodeCron(record);
  deepEqual(record.payload, payload);
});

for (
  const [kind, decode, valid, needed] of [
    ["dead letter", decodeDeadLetter, LETTER, ["id", "job_id", "job_name"]],
    ["cron entry", decodeCron, CRON, ["id", "name", "schedule"]],
  ] as const
) {
  test(`throws an EntityError that says why a value is not a ${kind}`, () => {
    for (const value of [null, undefined, 5, "x", []]) {
      const message = `EntityError: Cannot decode ${kind}: not an object`;
      throws(() => decode(value), new RegExp(`^${message}$`));
    }
    for (const key of needed) {
      const message = `EntityError: Cannot decode ${kind}: ${key} is missing`;
      for (const value of [undefined, null, 5]) {
        throws(() => decode({ ...valid, [key]: value }), new RegExp(`^${message}$`));
      }
    }
  });
}
