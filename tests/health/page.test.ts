import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { Access } from "../../runner/status/access.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { runAt } from "./_health.ts";
import { ask, failingView, NOW, openPage, view } from "./_page.ts";

test("the page shows each check, and hostile names and failures stay text", async () => {
  const hostile = `</pre><script>alert(1)</script>"'&\u202e`;
  await using page = await openPage([view("a"), failingView("b", hostile)]);
  page.source.views.push(view("c", { name: hostile }));
  for (const path of ["/", "/checks/b", "/checks/c"]) {
    const response = await fetch(page.url + path);
    equal(response.status, 200);
    const text = await response.text();
    // Only the page's own script; the other one is escaped.
    equal(text.match(/<script>/g)!.length, 1, path);
    ok(text.includes("&lt;script&gt;alert(1)&lt;/script&gt;"), path);
    ok(!text.includes("\u202e"), path);
  }
  const overview = await (await fetch(page.url)).text();
  match(overview, /1 of 3 failing/);
  match(overview, /100 %/);
  match(overview, /99\.99 %/);
  match(await (await fetch(page.url + "/checks/a")).text(), /50\.00 %[\s\S]*p50 12 ms, p95 40 ms/);
});

test("the policy of the page allows its script and style, and nothing else", async () => {
  await using page = await openPage([view("a")]);
  const response = await fetch(page.url);
  const policy = response.headers.get("content-security-policy")!;
  match(policy, /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'/);
  match(policy, /frame-ancestors 'none'/);
  const text = await response.text();
  for (const tag of ["script", "style"]) {
    const [, inner] = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(text)!;
    const bytes = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(inner!));
    const hash = btoa(String.fromCharCode(...new Uint8Array(bytes)));
    ok(policy.includes(`'sha256-${hash}'`), tag);
  }
  // No address but its own.
  deepEqual(text.match(/(?:https?:)?\/\/[\w.]+/g) ?? [], []);
});

test("another host's name, and another page's requests, are refused", async () => {
  await using page = await openPage([view("a")], { token: "s3cret" });
  const { host } = new URL(page.url);
  const token = { authorization: "Bearer s3cret" };
  equal((await ask(page.url, { host, ...token })).status, 200);
  equal((await ask(page.url, { host: "evil.example", ...token })).status, 403);
  equal((await ask(page.url, { host: "127.0.0.1.evil.example:80", ...token })).status, 403);
  equal((await ask(page.url, { host, origin: `http://${host}`, ...token })).status, 200);
  equal((await ask(page.url, { host, origin: "http://evil.example", ...token })).status, 403);
  equal((await ask(`${page.url}/logout`, { host, origin: "null" }, "POST")).status, 403);
  // Many proxies ask by the address that they know.
  const origin = "https://status.example";
  await using behind = await openPage([view("a")], { token: "s3cret", origin });
  const { host: known } = new URL(behind.url);
  equal((await ask(`${behind.url}/logout`, { host: known, origin }, "POST")).status, 303);
  equal(
    (await ask(`${behind.url}/logout`, { host: known, origin: `${origin}.evil` }, "POST")).status,
    403,
  );
});

test("details need the token; with `--public` the rest does not", async () => {
  const paths = ["/", "/checks/b", "/api/v1/checks", "/api/v1/checks/b/runs", "/api/v1/incidents"];
  for (const isPublic of [true, false]) {
    await using page = await openPage([view("a"), failingView("b", "the-failure")], {
      ...{ isPublic, token: "s3cret" },
    });
    for (const path of paths) {
      const without = await fetch(page.url + path);
      equal(without.status, isPublic ? 200 : 401, path);
      const text = await without.text();
      for (const secret of ["the-failure", "recipes/b.yaml", "example.com", "core"]) {
        ok(!text.includes(secret), `${path} shows ${secret}`);
      }
      const headers = { authorization: "Bearer s3cret" };
      const withIt = await fetch(page.url + path, { headers });
      equal(withIt.status, 200);
      match(await withIt.text(), /the-failure/);
      const wrong = await fetch(page.url + path, { headers: { authorization: "Bearer s3cre" } });
      equal(wrong.status, 401, path);
      equal(wrong.headers.get("www-authenticate"), "Bearer");
      deepEqual(await wrong.json(), { error: "the token is wrong" });
    }
  }
  await using open = await openPage([view("a")], { isPublic: true, token: "s3cret" });
  open.metrics.addDelivery("on-call@example.com", "delivered");
  const metrics = async (headers = {}) =>
    await (await fetch(`${open.url}/metrics`, { headers })).text();
  ok(!(await metrics()).includes("on-call"));
  match(await metrics({ authorization: "Bearer s3cret" }), /target="on-call@example\.com"/);
  await using local = await openPage([failingView("b", "the-failure")]);
  match(await (await fetch(local.url)).text(), /the-failure/);
});

test("wrong tokens are looked at ten times a minute, and so is a right one that is short", async () => {
  for (const isPublic of [true, false]) {
    const clock = new FakeClock();
    await using page = await openPage([view("a")], { token: "s3cret", isPublic, clock });
    const attempt = async (token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`${page.url}/api/v1/checks`, { headers });
      await response.body?.cancel();
      return response.status;
    };
    // No token at all is a wrong one, too, once the header is there.
    for (let i = 0; i < 10; i++) equal(await attempt(i === 0 ? "" : `wrong-${i}`), 401);
    equal(await attempt("s3cret"), 429);
    clock.advance(61_000);
    equal(await attempt("s3cret"), 200);
  }
});

test("a browser that sends a wrong token gets the form, and why", async () => {
  await using page = await openPage([view("a")], { token: "s3cret", isPublic: true });
  const open = (authorization: string) =>
    fetch(page.url, { headers: { authorization, accept: "text/html" } });
  const wrong = await open("Bearer wrong");
  equal(wrong.status, 401);
  match(await wrong.text(), /<form[\s\S]*This token is wrong/);
  for (let i = 1; i < 10; i++) await (await open("bearer wrong")).body?.cancel();
  const locked = await open("Bearer s3cret");
  equal(locked.status, 429);
  match(await locked.text(), /<form[\s\S]*Too many wrong tokens/);
  // What a proxy has asked for is no token.
  equal((await open("Basic dXNlcjpwYXNz")).status, 200);
});

test("a right token that is long is taken, however many wrong ones come from the same proxy", async () => {
  const long = "0123456789abcdef";
  const access = (token: string) =>
    new Access({ token, isPublic: false, hosts: "any", clock: new FakeClock() });
  const [by, short] = [access(long), access(long.slice(1))];
  const sight = (one: Access, token: string) =>
    one.sight(new Headers({ authorization: `Bearer ${token}` }), "10.0.0.1");
  for (let i = 0; i < 10; i++) for (const one of [by, short]) equal(sight(one, `${i}`), "wrong");
  for (const wrong of [long.slice(1), `${long}0`, long.replace("0", "1"), ""]) {
    equal(sight(by, wrong), "too many");
  }
  equal(sight(by, long), "details");
  equal(sight(by, "wrong"), "too many", "the right one does not reset the limit");
  equal(sight(short, long.slice(1)), "too many");
  await using page = await openPage([view("a")], { token: long });
  const login = async (token: string) => {
    const body = new URLSearchParams({ token });
    const response = await fetch(`${page.url}/login`, { method: "POST", body, redirect: "manual" });
    await response.body?.cancel();
    return response.status;
  };
  for (let i = 0; i < 10; i++) equal(await login("wrong"), 401);
  equal(await login("wrong"), 429);
  equal(await login(long), 303);
});

test("what is not there is a page for people and JSON for programs", async () => {
  await using page = await openPage([view("a")]);
  const open = async (path: string, accept: string, host?: string) => {
    const answer = await ask(page.url + path, { accept, ...(host ? { host } : {}) });
    return `${answer.status} ${answer.type} ${
      /<h1>(.*?)<\/h1>/.exec(answer.body)?.[1] ?? answer.body
    }`;
  };
  const browser = "text/html,application/xhtml+xml,*/*;q=0.8";
  equal(await open("/checks/b", browser), "404 text/html; charset=UTF-8 There is no such check");
  equal(await open("/b", browser), "404 text/html; charset=UTF-8 There is nothing here");
  equal(
    await open("/", browser, "evil.example"),
    "403 text/html; charset=UTF-8 This page has another address",
  );
  for (const [path, accept] of [["/checks/b", "*/*"], ["/api/v1/checks/b", browser]] as const) {
    equal(await open(path, accept), '404 application/json {"error":"there is no such check"}');
  }
  page.source.fault = new Error("the database is away");
  equal(await open("/", browser), "500 text/html; charset=UTF-8 This page has a fault");
});

test("who gives wrong tokens locks out no other address; all together have a limit, too", () => {
  const clock = new FakeClock();
  const access = new Access({ token: "s3cret", isPublic: false, hosts: "any", clock });
  const attempt = (token: string, from: string) =>
    access.sight(new Headers({ authorization: `Bearer ${token}` }), from);
  for (let i = 0; i < 10; i++) equal(attempt("wrong", "10.0.0.1"), "wrong");
  equal(attempt("s3cret", "10.0.0.1"), "too many");
  equal(attempt("s3cret", "10.0.0.2"), "details");
  for (let i = 0; i < 990; i++) equal(attempt("wrong", `fd00::${i}`), "wrong");
  equal(attempt("s3cret", "10.0.0.2"), "too many");
  clock.advance(61_000);
  equal(attempt("s3cret", "10.0.0.1"), "details");
});

test("the cookie of a page behind https is for https alone", () => {
  const access = new Access({
    ...{ token: "s3cret", isPublic: false, hosts: "any", clock: new FakeClock() },
  });
  const cookieAt = (origin: string) => access.logIn("s3cret", new Headers({ origin }), "10.0.0.1");
  match(cookieAt("https://status.example"), /; Secure$/);
  ok(!cookieAt("http://127.0.0.1:9600").includes("Secure"));
});

test("a form gives a cookie that shows details until it is given back", async () => {
  await using page = await openPage([failingView("b", "the-failure")], { token: "s3cret" });
  const login = (token: string) =>
    fetch(`${page.url}/login`, {
      method: "POST",
      body: new URLSearchParams({ token }),
      redirect: "manual",
    });
  const wrong = await login("wrong");
  equal(wrong.status, 401);
  match(await wrong.text(), /This token is wrong/);
  const right = await login("s3cret");
  equal(right.status, 303);
  const cookie = right.headers.get("set-cookie")!;
  match(cookie, /^dispatch_session=[\w-]{36}; HttpOnly; SameSite=Strict; Path=\//);
  await right.body?.cancel();
  const headers = { cookie: cookie.split(";")[0]! };
  match(await (await fetch(page.url, { headers })).text(), /the-failure/);
  const out = await fetch(`${page.url}/logout`, { method: "POST", headers, redirect: "manual" });
  await out.body?.cancel();
  equal((await fetch(page.url, { headers })).status, 401);
  const long = await login("x".repeat(10_000));
  equal(long.status, 413);
  for (const type of ["multipart/form-data; boundary=x", "multipart/form-data", "text/plain"]) {
    const noForm = await fetch(`${page.url}/login`, {
      method: "POST",
      body: "token=s3cret",
      headers: { "content-type": type },
    });
    equal(noForm.status, 401, type);
    await noForm.body?.cancel();
  }
});

test("badges show the state, and escape names", async () => {
  await using page = await openPage([view("a", { name: '<x onload="y">' }), failingView("b")]);
  const a = await fetch(`${page.url}/badges/a.svg`);
  equal(a.headers.get("content-type"), "image/svg+xml");
  const text = await a.text();
  match(text, /passing 99\.99 %/);
  ok(!text.includes("<x"));
  match(await (await fetch(`${page.url}/badges/all.svg`)).text(), /1 of 2 failing/);
  equal((await fetch(`${page.url}/badges/none.svg`)).status, 404);
});

test("live pages get the parts that change, drawn as the page draws them", async () => {
  const clock = new FakeClock();
  await using page = await openPage([view("a"), view("b")], { clock });
  const stop = new AbortController();
  const live = await fetch(`${page.url}/live`, { signal: stop.signal });
  const one = await fetch(`${page.url}/live?check=a`, { signal: stop.signal });
  equal((await fetch(`${page.url}/live?check=none`)).status, 404);
  const reader = live.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value!;
  equal(page.source.listening, 2);
  page.source.change(failingView("a", "<i>late</i>"));
  clock.advance(1_000);
  while (!/"incidents"/.test(text)) text += (await reader.read()).value;
  const parts = [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json!));
  deepEqual(parts.map(({ id }) => id), ["check-a", "headline", "incidents"]);
  match(parts[0].html, /&lt;i&gt;late&lt;\/i&gt;/);
  match(parts[1].html, /1 of 2 failing/);
  clock.advance(20_000);
  while (!/: still here/.test(text)) text += (await reader.read()).value;
  stop.abort();
  await reader.closed.catch(() => {});
  await one.body!.cancel().catch(() => {});
  for (let i = 0; i < 200 && page.source.listening > 0; i++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  equal(page.source.listening, 0);
  equal(clock.pending, 0);
});

test("a live page shows nothing more once its session is over", async () => {
  for (const [isPublic, after] of [[true, 200], [false, 401]] as const) {
    const clock = new FakeClock();
    await using page = await openPage([view("a")], { token: "s3cret", isPublic, clock });
    const logIn = async () => {
      const body = new URLSearchParams({ token: "s3cret" });
      const response = await fetch(`${page.url}/login`, {
        ...{ method: "POST", body, redirect: "manual" },
      });
      await response.body?.cancel();
      return { cookie: response.headers.get("set-cookie")!.split(";")[0]! };
    };
    const ends = {
      out: (headers: { cookie: string }) =>
        fetch(`${page.url}/logout`, { method: "POST", headers, redirect: "manual" }),
      late: () => Promise.resolve(clock.sleep(13 * 3_600_000)),
    };
    for (const end of [ends.out, ends.late]) {
      const [mine, other] = [await logIn(), await logIn()];
      const live = await fetch(`${page.url}/live`, { headers: mine });
      const reader = live.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = (await reader.read()).value!;
      // The end of another session changes nothing here.
      await (await ends.out(other))?.body?.cancel();
      page.source.change(failingView("a", "seen before"));
      clock.advance(1_000);
      while (!text.includes("headline")) text += (await reader.read()).value;
      await (await end(mine))?.body?.cancel();
      page.source.change(failingView("a", "seen after"));
      clock.advance(1_000);
      for (let part = await reader.read(); !part.done; part = await reader.read()) {
        text += part.value;
      }
      match(text, /seen before[\s\S]*event: reload\ndata: \{\}\n\n$/);
      ok(!text.includes("seen after"));
      equal(page.source.listening, 0);
      const again = await fetch(page.url, { headers: mine });
      equal(again.status, after);
      ok(!(await again.text()).includes("seen after"));
    }
    equal(clock.pending, 0);
  }
});

test("metrics count runs and name states; health says when the scheduler hangs", async () => {
  await using page = await openPage([view("a"), failingView("b")]);
  const { metrics, source } = page;
  metrics.addRun("a", { ...runAt(NOW, true, 1_500), lateness_ms: 20 });
  metrics.addSkipped("a", "missed", 3);
  metrics.addNotice("raised");
  metrics.addTarget("ops");
  metrics.addDelivery("ops", "delivered");
  const text = await (await fetch(`${page.url}/metrics`)).text();
  for (
    const line of [
      'dispatch_check_up{check="a"} 1',
      'dispatch_check_up{check="b"} 0',
      'dispatch_check_alert{check="b"} 1',
      'dispatch_check_runs_total{check="a",verdict="passed"} 1',
      // Prometheus sees that a series increases if it is there before.
      'dispatch_check_runs_total{check="a",verdict="failed"} 0',
      'dispatch_alert_notices_total{kind="resolved"} 0',
      'dispatch_alert_deliveries_total{target="ops",outcome="dropped"} 0',
      'dispatch_check_duration_seconds_bucket{le="1",check="a"} 0',
      'dispatch_check_duration_seconds_bucket{le="2.5",check="a"} 1',
      "dispatch_check_lateness_seconds_sum 0.02",
      'dispatch_check_skipped_total{check="a",reason="missed"} 3',
      'dispatch_alert_notices_total{kind="raised"} 1',
      'dispatch_alert_deliveries_total{target="ops",outcome="delivered"} 1',
      // What the checks say has a series of its own.
      "dispatch_schedule_up 1",
    ]
  ) ok(text.split("\n").includes(line), `${line} in\n${text}`);
  await metrics.remove("a");
  ok(!/runs_total\{check="a"/.test(await (await fetch(`${page.url}/metrics`)).text()));
  equal((await fetch(`${page.url}/healthz`)).status, 200);
  source.why = "database or disk is full";
  match(await (await fetch(`${page.url}/healthz`)).text(), /in memory/);
  source.tick = 61_000;
  equal((await fetch(`${page.url}/healthz`)).status, 503);
  match(await (await fetch(`${page.url}/metrics`)).text(), /^dispatch_schedule_up 0$/m);
});
