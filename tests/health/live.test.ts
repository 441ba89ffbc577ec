import { deepEqual, equal, match, ok } from "node:assert/strict";
import { test } from "node:test";
import { liveParts } from "../../runner/status/live.ts";
import { within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { failingView, FakeSource, openPage, view } from "./_page.ts";

/** Opens a live page and returns what it is sent. */
async function follow(url: string) {
  const stop = new AbortController();
  const response = await fetch(url, { signal: stop.signal });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  return {
    /** Reads until a pattern and the end of an event have come, or to the end; returns the parts' ids. */
    async until(pattern?: RegExp): Promise<string[]> {
      while (!(pattern?.test(text) && text.endsWith("\n\n"))) {
        const { value, done } = await within(reader.read(), "the next part");
        if (done) break;
        text += value;
      }
      const ids = [...text.matchAll(/^data: (.*)$/gm)].map(([, json]) => JSON.parse(json!).id);
      text = "";
      return ids;
    },
    async [Symbol.asyncDispose]() {
      await reader.cancel().catch(() => {});
      stop.abort();
    },
  };
}

test("a page of all checks is loaded anew when a check comes, that of one check when it goes", async () => {
  const clock = new FakeClock();
  await using page = await openPage([view("a"), view("b")], { clock });
  await using all = await follow(`${page.url}/live`);
  await using one = await follow(`${page.url}/live?check=a`);
  await Promise.all([all.until(/retry/), one.until(/retry/)]);
  page.source.replace([view("a"), view("b"), view("c")]);
  clock.advance(1_000);
  deepEqual(await all.until(), [undefined]);
  page.source.change(failingView("a"));
  clock.advance(1_000);
  deepEqual(await one.until(/"details"/), ["details"]);
  page.source.replace([view("b"), view("c")]);
  clock.advance(1_000);
  deepEqual(await one.until(), [undefined]);
});

test("the incidents of a page change with its checks, and are sent only when they do", async () => {
  const clock = new FakeClock();
  await using page = await openPage([view("a"), view("b")], { clock });
  await using live = await follow(`${page.url}/live`);
  await live.until(/retry/);
  const change = async (one: ReturnType<typeof view>) => {
    page.source.change(one);
    // Each look is at least a second after the last one.
    clock.advance(1_000);
    page.source.change(view("b"));
    clock.advance(1_000);
    return await live.until(/"check-b"[\s\S]*"headline"/);
  };
  const first = await change(failingView("a", "the failure"));
  equal(first.filter((id) => id === "incidents").length, 1);
  const second = await change(failingView("a", "the failure"));
  equal(second.filter((id) => id === "incidents").length, 0);
  const third = await change(view("a"));
  equal(third.filter((id) => id === "incidents").length, 1);
});

test("a reader that stalls has little waiting for it, and is cut off after a minute", async () => {
  const clock = new FakeClock();
  const source = new FakeSource([view("a"), view("b")]);
  const drawn: string[][] = [];
  let ended = 0;
  const stream = liveParts({
    ...{ source, clock, maySee: () => true, mustReload: () => false, onEnd: () => void ended++ },
    draw: (changed) => {
      drawn.push([...changed]);
      return [{ id: "x", html: "x".repeat(40_000) }];
    },
  });
  const reader = stream.getReader();
  for (let second = 0; second < 10; second++) {
    source.change(second % 2 === 0 ? view("a") : view("b"));
    clock.advance(1_000);
  }
  equal(drawn.length, 2);
  // It goes on, and gets all that has changed at once.
  const decoder = new TextDecoder();
  for (let read = ""; read.split("event: part").length < 3;) {
    read += decoder.decode((await reader.read()).value);
  }
  clock.advance(1_000);
  deepEqual(drawn[2]!.sort(), ["a", "b"]);
  for (let second = 0; second < 59; second++) {
    source.change(view("a"));
    clock.advance(1_000);
  }
  equal(ended, 0);
  clock.advance(10_000);
  equal(ended, 1);
  equal(source.listening, 0);
  equal(clock.pending, 0);
  ok(drawn.length < 6, `${drawn.length}`);
});

test("each live page has a note for the time without a connection, and a login has none", async () => {
  await using page = await openPage([view("a")], { token: "0123456789abcdef", isPublic: true });
  const text = async (path: string) => await (await fetch(page.url + path)).text();
  for (const path of ["/", "/checks/a"]) {
    match(await text(path), /id="offline" role="alert" hidden/);
  }
  ok(!(await text("/login")).includes('id="offline"'));
});
