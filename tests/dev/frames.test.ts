import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createDevServer, type DevServer, referenceWorkload } from "../../dev/mod.ts";
import { Wire } from "./wire.ts";

let server: DevServer;
before(async () => {
  server = await createDevServer(referenceWorkload());
});
after(() => server.close());

/** The messages of a Go server for frames that it cannot decode. */
const BROKEN: Record<string, string> = {
  "": "unexpected end of JSON input",
  "hello": "invalid character 'h' looking for beginning of value",
  "[]": "json: cannot unmarshal array into Go value of type dwp.Frame",
  '"x"': "json: cannot unmarshal string into Go value of type dwp.Frame",
  "5": "json: cannot unmarshal number into Go value of type dwp.Frame",
  "true": "json: cannot unmarshal bool into Go value of type dwp.Frame",
  '{"id":5}': "json: cannot unmarshal number into Go struct field Frame.id of type string",
  '{"type":5}':
    "json: cannot unmarshal number into Go struct field Frame.type of type dwp.FrameType",
  '{"error":"x"}':
    "json: cannot unmarshal string into Go struct field Frame.error of type dwp.ErrorDetail",
  '{"credits":1.5}':
    "json: cannot unmarshal number 1.5 into Go struct field Frame.credits of type int",
  '{"credits":9223372036854775808}':
    "json: cannot unmarshal number 9223372036854775808 into Go struct field Frame.credits of type int",
  '{"credits":"5"}': "json: cannot unmarshal string into Go struct field Frame.credits of type int",
  '{"ts":"nope"}':
    'parsing time "nope" as "2006-01-02T15:04:05Z07:00": cannot parse "nope" as "2006"',
  '{"ts":"2026-01-01T00:00:00"}':
    'parsing time "2026-01-01T00:00:00" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "Z07:00"',
  '{"ts":"2026-13-01T00:00:00Z"}': 'parsing time "2026-13-01T00:00:00Z": month out of range',
  '{"ts":"2026-02-30T00:00:00Z"}': 'parsing time "2026-02-30T00:00:00Z": day out of range',
  '{"ts":"2026-02-20T00:00:00Zé"}': String
    .raw`parsing time "2026-02-20T00:00:00Z\xc3\xa9": extra text: "\xc3\xa9"`,
  '{"data":n': "invalid character ' ' in literal null (expecting 'u')",
  '{"a":[1,]}': "invalid character ']' looking for beginning of value",
  "{\"a\":'x'}": "invalid character '\\'' looking for beginning of value",
  '{"a":"\\x"}': "invalid character 'x' in string escape code",
  '{"a":01}': "invalid character '1' after object key:value pair",
  '{"a":1.}': "invalid character '}' after decimal point in numeric literal",
  '{"a" 1}': "invalid character '1' after object key",
  "{a:1}": "invalid character 'a' looking for beginning of object key string",
  '{"ts":5}': "Time.UnmarshalJSON: input is not a JSON string",
  '{"id":"a"} x': "invalid character 'x' after top-level value",
  '{"id":"a"': "unexpected end of JSON input",
  '\ufeff{"id":"a"}': "invalid character 'ï' looking for beginning of value",
};

for (const [text, message] of Object.entries(BROKEN)) {
  test("a number that Go's float64 cannot hold fails a handler that takes anything", async () => {
    await using wire = await Wire.connect(server.url);
    await wire.call("subscribe", { channel: "jobs" });
    wire.text(
      '{"type":"request","method":"job.enqueue","data":{"name":"noop","payload":["1e999",-1e999]}}',
    );
    const { data } = await wire.event("job.dlq");
    assert.match(
      data.error,
      /: json: cannot unmarshal number -1e999 into Go value of type float64$/,
    );
  });

  test("names a byte that is not UTF-8, and replaces each in a text by one U+FFFD", async () => {
    await using wire = await Wire.connect(server.url);
    const next = () => wire.take(() => true);
    const quote = 0x22;
    wire.socket.send(Uint8Array.of(0x80));
    assert.equal(
      (await next()).error!.message,
      "invalid frame: invalid character '\\u0080' looking for beginning of value",
    );
    const [start, end] = ['{"type":"ping","id":', "}"].map((text) =>
      new TextEncoder().encode(text)
    );
    // Half of an emoji, then a byte that begins nothing.
    wire.socket.send(Uint8Array.of(...start!, quote, 0xf0, 0x9f, 0xff, 0xc3, 0xa4, quote, ...end!));
    assert.equal((await next()).correl_id, "\ufffd\ufffd\ufffdä");
  });

  test(`answers the malformed frame ${JSON.stringify(text)} with Go's message and no correl_id`, async () => {
    await using wire = await Wire.connect(server.url);
    const response = await wire.reply(text);
    assert.equal(response.type, "error");
    assert.equal(response.correl_id, undefined);
    assert.deepEqual(response.error, { code: 400, message: `invalid frame: ${message}` });
    assert.equal((await wire.reply('{"id":"p","type":"ping"}')).type, "pong");
  });
}

test("decodes frames as Go does: keys of any case, the last duplicate, null as absent", async () => {
  await using wire = await Wire.connect(server.url);
  const responseTo = async (text: string) => {
    const { correl_id, error } = await wire.reply(text);
    return [correl_id, error?.message];
  };
  assert.deepEqual(await responseTo("null"), [undefined, "unknown method: "]);
  assert.deepEqual(await responseTo('{"METHOD":"nope","Id":"a"}'), ["a", "unknown method: nope"]);
  assert.deepEqual(await responseTo('{"id":"a","id":"b","method":"x"}'), [
    "b",
    "unknown method: x",
  ]);
  assert.deepEqual(await responseTo('{"id":"a","id":null,"method":"x"}'), [
    "a",
    "unknown method: x",
  ]);
  assert.deepEqual(await responseTo('{"id":"\\ud800<&>é"}'), ["\ufffd<&>é", "unknown method: "]);
  assert.deepEqual(await responseTo('{"id":"a","type":"pong"}'), ["a", "unknown method: "]);
  assert.deepEqual(await responseTo('{"id":"a","type":"event","method":"stats"}'), [
    "a",
    undefined,
  ]);
  assert.deepEqual(await responseTo('{"id":"a","credits":-5}'), ["a", "unknown method: "]);
  assert.deepEqual(await responseTo('{"id":"a","method":"auth"}'), ["a", "unknown method: auth"]);
});

test("a pong has the time of the ping, formatted as Go does", async () => {
  await using wire = await Wire.connect(server.url);
  const echo = async (ts: string) => (await wire.reply(`{"id":"p","type":"ping"${ts}}`)).ts;
  assert.equal(await echo(',"ts":"2026-01-01T00:00:00.500+02:00"'), "2026-01-01T00:00:00.5+02:00");
  assert.equal(await echo(',"ts":"2026-01-01T00:00:00+00:00"'), "2026-01-01T00:00:00Z");
  assert.equal(await echo(',"ts":"2026-01-01T00:00:00-01:60"'), "2026-01-01T00:00:00-02:00");
  assert.equal(await echo(""), "0001-01-01T00:00:00Z");
});

test("a request without data is invalid, one with null data is empty", async () => {
  await using wire = await Wire.connect(server.url);
  await assert.rejects(wire.call("job.get"), {
    code: 400,
    message: "invalid request: unexpected end of JSON input",
  });
  await assert.rejects(wire.call("job.get", null), {
    code: 400,
    message: 'invalid job ID: id: parse "": empty string',
  });
  await assert.rejects(wire.call("job.enqueue", { name: "noop", priority: 1.5 }), {
    code: 400,
    message: "invalid request: json: cannot unmarshal number 1.5 into Go struct field " +
      "JobEnqueueRequest.priority of type int",
  });
});

test("rejects an invalid id with Go's message", async () => {
  await using wire = await Wire.connect(server.url);
  const id = "01m8696kvmfmv9s0kxx33pv3zz";
  const problems: Record<string, string> = {
    "x": 'id: parse "x": typeid: suffix length must be 26, got 1',
    "job_": 'id: parse "job_": typeid: suffix cannot be empty',
    [`_${id}`]: `id: parse "_${id}": typeid: prefix cannot be empty when separator "_" is present`,
    [`JOB_${id}`]:
      `id: parse "JOB_${id}": typeid: prefix must contain only [a-z_], found 'J' in "JOB"`,
    [`job__${id}`]: `id: parse "job__${id}": typeid: prefix cannot end with underscore, got "job_"`,
    [`job_8${id.slice(1)}`]: `id: parse "job_8${
      id.slice(1)
    }": typeid: suffix must start with 0-7, got '8'`,
    [`job_01M${id.slice(3)}`]: `id: parse "job_01M${id.slice(3)}": typeid: ` +
      "invalid suffix encoding: illegal base32 data at offset 2",
    [`wfrun_${id}`]: 'id: expected prefix "job", got "wfrun"',
    [id]: 'id: expected prefix "job", got ""',
  };
  for (const [job_id, problem] of Object.entries(problems)) {
    await assert.rejects(wire.call("job.cancel", { job_id }), {
      code: 400,
      message: `invalid job ID: ${problem}`,
    });
  }
});

test("sends the reason and drops the connection when authentication fails", async () => {
  const rejectionOf = async (text: string) => {
    const wire = await Wire.open(server.url);
    const { correl_id, error } = await wire.reply(text);
    const code = await wire.closed;
    assert.ok(code === 1006 || code === 0, `closed with ${code}`);
    return [correl_id, error?.code, error?.message];
  };
  assert.deepEqual(await rejectionOf("5"), [undefined, 400, "invalid auth frame"]);
  assert.deepEqual(await rejectionOf("null"), [undefined, 400, "first frame must be auth"]);
  assert.deepEqual(await rejectionOf('{"id":"a","type":"ping"}'), [
    "a",
    400,
    "first frame must be auth",
  ]);
  assert.deepEqual(await rejectionOf('{"id":"a","method":"auth","data":[]}'), [
    "a",
    400,
    "invalid auth data",
  ]);
  assert.deepEqual(await rejectionOf('{"id":"a","method":"auth","token":"toString"}'), [
    "a",
    401,
    "authentication failed",
  ]);
});

test("drops a connection that asks for msgpack", async () => {
  const wire = await Wire.open(server.url);
  wire.send("auth", { token: "demo-token", format: "msgpack" });
  const code = await wire.closed;
  assert.ok(code === 1006 || code === 0, `closed with ${code}`);
});

test("writes frames as Go does: the order of the members, escapes and digits of a second", async () => {
  const socket = new WebSocket(server.url);
  await new Promise((resolve) => socket.onopen = resolve);
  const next = (text: string) =>
    new Promise<string>((resolve) => {
      socket.onmessage = ({ data }) => resolve(data);
      socket.send(text);
    });
  const timestamp = String.raw`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z"`;
  assert.match(
    await next('{"id":"<1>","method":"auth","data":{"token":"demo-token"}}'),
    new RegExp(
      String.raw`^\{"id":"\d{14}\.\d{9}","type":"response","correl_id":"\\u003c1\\u003e",` +
        String.raw`"data":\{"format":"json","session_id":"ws_\d{19}"\},"ts":${timestamp}\}$`,
    ),
  );
  assert.match(
    await next('{"id":"2","method":"a&b"}'),
    new RegExp(
      String.raw`^\{"id":"\d{14}\.\d{9}","type":"error","correl_id":"2",` +
        String
          .raw`"error":\{"code":405,"message":"unknown method: a\\u0026b"\},"ts":${timestamp}\}$`,
    ),
  );
  socket.close();
});
