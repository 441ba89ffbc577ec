import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import type { Notice, NoticeKind } from "../../runner/health/model.ts";
import { noticeText } from "../../runner/notify/message.ts";
import { send } from "../../runner/notify/send.ts";
import type { Message, Settings } from "../../runner/notify/target.ts";
import { TARGET_KINDS } from "../../runner/notify/targets/target_kinds.ts";
import { systemClock } from "../../runtime/clock.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { Receiver } from "./_receiver.ts";

const AT = Date.UTC(2026, 0, 1, 12, 0, 5, 250);
const LINK = "https://status.example.com/checks/order-smoke";

function message(kind: NoticeKind, failure = "it is <false> & *done* @everyone"): Message {
  const notice: Notice = {
    id: `order-smoke-1-${kind}`,
    kind,
    check: {
      ...{ id: "order-smoke", name: "Order smoke", file: "smoke.yaml", server: "example.com" },
      ...{ tags: ["smoke"], when: "every 30s" },
    },
    ...{ incident: "order-smoke-1", at: AT, since: AT - 60_000, failures: 3 },
    ...(kind === "resolved" ? {} : { failure }),
  };
  return { notice, text: noticeText(notice), link: LINK };
}

function open(kind: string, settings: Settings) {
  return TARGET_KINDS.find(({ name }) => name === kind)!.open(settings);
}

const options = { fetch, clock: systemClock, signal: new AbortController().signal };

/** Tells a target of a raised and a resolved alert, and returns what its server got. */
async function exchange(kind: string, settings: (url: string) => Settings, ...answers: number[]) {
  await using receiver = await Receiver.start(...answers);
  const target = await open(kind, settings(receiver.url));
  for (const one of ["raised", "resolved"] as const) {
    equal(await send(target, message(one), options), undefined);
  }
  return receiver.received.map(({ method, path, headers, body }) => {
    equal(headers["content-type"], "application/json");
    return { request: `${method} ${path}`, headers, body: JSON.parse(body) };
  });
}

const RAISED = "ALERT Order smoke has failed 3 times since 2026-01-01T11:59:05Z: " +
  "it is <false> & *done* @everyone";
const RESOLVED =
  "RESOLVED Order smoke passes again; it had been failing since 2026-01-01T11:59:05Z";

test("alertmanager gets alerts of the same labels, and their end", async () => {
  const labels = { severity: "page" };
  const [raised, resolved] = await exchange(
    "alertmanager",
    (url) => ({ url: url + "/am/", labels }),
  );
  equal(raised!.request, "POST /am/api/v2/alerts");
  const [[alert], [end]] = [raised!.body, resolved!.body];
  deepEqual(alert.labels, {
    ...{ alertname: "DispatchCheckFailed", check: "order-smoke", recipe: "Order smoke" },
    ...{ file: "smoke.yaml", server: "example.com", severity: "page" },
  });
  deepEqual(end.labels, alert.labels);
  deepEqual([alert.startsAt, end.startsAt], ["2026-01-01T11:59:05Z", "2026-01-01T11:59:05Z"]);
  equal(end.endsAt, "2026-01-01T12:00:05Z");
  ok(Date.parse(alert.endsAt) > AT + 86_400_000);
  equal(alert.annotations.summary, RAISED);
  equal(alert.generatorURL, LINK);
});

test("pagerduty gets a trigger and a resolve with one key", async () => {
  const [raised, resolved] = await exchange(
    "pagerduty",
    (url) => ({ url: `${url}/v2/enqueue`, routing_key: "key" }),
    202,
  );
  equal(raised!.request, "POST /v2/enqueue");
  const { payload, ...event } = raised!.body;
  deepEqual(event, {
    ...{ routing_key: "key", dedup_key: "dispatch-order-smoke-1", event_action: "trigger" },
    ...{ client: "Dispatch recipes", client_url: LINK },
  });
  deepEqual([payload.summary, payload.source, payload.severity, payload.timestamp], [
    ...[RAISED, "example.com", "critical", "2026-01-01T12:00:05.250Z"],
  ]);
  deepEqual(resolved!.body, {
    ...{ routing_key: "key", dedup_key: "dispatch-order-smoke-1", event_action: "resolve" },
  });
});

test("opsgenie gets an alert, and closes it by its alias", async () => {
  const [raised, resolved] = await exchange("opsgenie", (url) => ({ url, api_key: "key" }), 202);
  equal(raised!.request, "POST /v2/alerts");
  equal(raised!.headers.authorization, "GenieKey key");
  ok([...raised!.body.message].length <= 130);
  equal(raised!.body.alias, "dispatch-order-smoke-1");
  equal(resolved!.request, "POST /v2/alerts/dispatch-order-smoke-1/close?identifierType=alias");
  equal(resolved!.body.note, RESOLVED);
});

test("slack, discord, teams and ntfy get the text, and nobody is mentioned by it", async () => {
  const [slack] = await exchange("slack", (url) => ({ url: `${url}/services/T/B/X` }));
  equal(
    slack!.body.text,
    `:rotating_light: ${
      RAISED.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    } <${LINK}|Details>`,
  );
  const [discord] = await exchange("discord", (url) => ({ url }), 204);
  deepEqual(discord!.body.allowed_mentions, { parse: [] });
  match(discord!.body.content, /\\<false\\> & \\\*done\\\* @everyone\n/);
  const [teams] = await exchange("teams", (url) => ({ url }), 202);
  const card = teams!.body.attachments[0];
  equal(card.contentType, "application/vnd.microsoft.card.adaptive");
  equal(card.content.body[0].text, RAISED);
  const [ntfy, over] = await exchange("ntfy", (url) => ({ url, topic: "ops", token: "tk" }));
  equal(ntfy!.request, "POST /");
  equal(ntfy!.headers.authorization, "Bearer tk");
  deepEqual([ntfy!.body.topic, ntfy!.body.priority, ntfy!.body.click], ["ops", 4, LINK]);
  equal(over!.body.priority, 3);
});

test("a web hook gets a signed body, from a template if there is one", async () => {
  await using receiver = await Receiver.start(200);
  const { url } = receiver;
  const target = await open("webhook", { url, secret: "s3cret", headers: { "x-team": "core" } });
  await send(target, message("raised"), options);
  const [plain] = receiver.received;
  const signature = createHmac("sha256", "s3cret").update(plain!.body).digest("hex");
  equal(plain!.headers["x-dispatch-signature"], `sha256=${signature}`);
  equal(plain!.headers["idempotency-key"], "order-smoke-1-raised");
  equal(plain!.headers["x-team"], "core");
  const { version, type, recipe, link } = JSON.parse(plain!.body);
  deepEqual([version, type, recipe, link], [1, "raised", "Order smoke", LINK]);
  const body = ({ text }: { text: string }) => `!! ${text}`;
  await send(await open("webhook", { url, body }), message("resolved"), options);
  equal(receiver.received[1]!.body, `!! ${RESOLVED}`);
  equal(receiver.received[1]!.headers["content-type"], "text/plain");
  const broken = await open("webhook", {
    url,
    body: () => {
      throw new Error("no such key");
    },
  });
  // Another attempt would hold up those that come after it.
  deepEqual(await send(broken, message("raised"), options), {
    ...{ text: "the request cannot be made: no such key", final: true },
  });
});

test("a command gets the notice on its standard input, and its failure is told", async () => {
  const directory = await mkdtemp(join(tmpdir(), "dispatch-command-"));
  try {
    const [script, out] = [join(directory, "tell.mjs"), join(directory, "out.json")];
    await writeFile(
      script,
      `import { readFileSync, writeFileSync } from "node:fs";
       if (process.argv[3] === "fail") { console.error("no pager here"); process.exit(3); }
       writeFileSync(process.argv[2], readFileSync(0));`,
    );
    const run = [process.execPath, ...("Deno" in globalThis ? ["run", "-A"] : []), script, out];
    equal(await send(await open("command", { run }), message("raised"), options), undefined);
    equal(JSON.parse(await readFile(out, "utf8")).text, RAISED);
    const failing = await open("command", { run: [...run, "fail"] });
    const problem = await send(failing, message("raised"), options);
    match(problem!.text, /^it ended with exit code 3: no pager here$/);
    equal(problem!.final, false);
    const missing = await open("command", { run: [join(directory, "nothing-here")] });
    match((await send(missing, message("raised"), options))!.text, /^it did not start: /);
  } finally {
    await rm(directory, { recursive: true });
  }
});

/** A mail server that takes one mail for each connection; returns what it was told. */
async function mailServer(refuse?: string) {
  const mails: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let text = "";
    let inData = false;
    socket.write("220 ready\r\n");
    socket.setEncoding("utf8").on("error", () => {}).on("data", (chunk: string) => {
      text += chunk;
      for (let end = text.indexOf("\r\n"); end >= 0; end = text.indexOf("\r\n")) {
        const line = text.slice(0, end);
        text = text.slice(end + 2);
        if (inData) {
          mails[mails.length - 1] += line + "\n";
          if (line === ".") {
            inData = false;
            socket.write("250 taken\r\n");
          }
        } else if (/^DATA/i.test(line)) {
          inData = true;
          mails.push("");
          socket.write("354 go on\r\n");
        } else if (/^QUIT/i.test(line)) socket.end("221 bye\r\n");
        else socket.write(refuse !== undefined && /^RCPT/i.test(line) ? refuse : "250 fine\r\n");
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    smtp: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mails,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

test("a mail server gets the mail; a refusal is final, a greylisting is not", async () => {
  const people = { from: "dispatch@example.com", to: ["ops@example.com", "b@example.com"] };
  await using server = await mailServer();
  const target = await open("mail", { smtp: server.smtp, ...people });
  equal(await send(target, message("raised"), options), undefined);
  match(server.mails[0]!, /^To: ops@example\.com, b@example\.com$/m);
  match(server.mails[0]!, /^Message-ID: <order-smoke-1-raised@/mi);
  match(server.mails[0]!, /^Subject: ALERT Order smoke has failed 3 times/m);
  await using refusing = await mailServer("550 nobody here\r\n");
  const refused = await open("mail", { smtp: refusing.smtp, ...people });
  equal((await send(refused, message("raised"), options))!.final, true);
  await using busy = await mailServer("451 later\r\n");
  const later = await open("mail", { smtp: busy.smtp, ...people });
  equal((await send(later, message("raised"), options))!.final, false);
  await rejects(async () => await open("mail", { smtp: "mail.example.com", ...people }), /`smtp`/);
});

test("answers decide whether another attempt may help; none names the address", async () => {
  const cases = [
    [500, "the server answered 500", false],
    [503, "the server answered 503", false],
    [429, "the server answered 429", false],
    [408, "the server answered 408", false],
    [400, "the server answered 400", true],
    [404, "the server answered 404", true],
  ] as const;
  for (const [status, text, final] of cases) {
    await using receiver = await Receiver.start(status);
    const target = await open("slack", { url: `${receiver.url}/s3cret` });
    deepEqual(await send(target, message("raised"), options), { text, final });
  }
  const target = await open("slack", { url: "http://127.0.0.1:1/s3cret" });
  const refused = await send(target, message("raised"), options);
  equal(refused!.final, false);
  ok(!refused!.text.includes("s3cret"), refused!.text);
});

test("a redirect is not followed, so that no secret goes elsewhere", async () => {
  await using elsewhere = await Receiver.start(200);
  await using receiver = await Receiver.start({ redirect: `${elsewhere.url}/other` });
  const target = await open("slack", { url: receiver.url });
  const problem = await send(target, message("raised"), options);
  match(problem!.text, /a redirect, which is not followed/);
  equal(problem!.final, true);
  deepEqual(elsewhere.received, []);
});

test("a receiver that hangs is given up after 10 s, and a long answer is not read", async () => {
  await using receiver = await Receiver.start("hang");
  const clock = new FakeClock();
  const target = await open("slack", { url: receiver.url });
  const sending = send(target, message("raised"), { ...options, clock });
  while (receiver.received.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  clock.advance(10_000);
  deepEqual(await sending, { text: "no answer within 10 s", final: false });
  equal(clock.pending, 0);
  await using talker = await Receiver.start({ bytes: 10_000_000 });
  const other = await open("slack", { url: talker.url });
  equal(await send(other, message("raised"), options), undefined);
});

test("a user and password of an address are sent as basic authentication", async () => {
  await using receiver = await Receiver.start(200);
  const url = receiver.url.replace("http://", "http://us%3Aer:p%C3%A4ss@");
  await send(await open("slack", { url }), message("raised"), options);
  const credentials = Buffer.from("us:er:päss").toString("base64");
  equal(receiver.received[0]!.headers.authorization, `Basic ${credentials}`);
});
