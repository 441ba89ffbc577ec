// How `explore` interrupts handlers, and gives them the time of the server.
import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { replaceGlobals } from "../../runner/cli/explore/ambient.ts";
import { Interrupter } from "../../runner/cli/explore/interrupt.ts";
import { delay } from "../../runtime/clock.ts";
import { nextTurn } from "../../runtime/real_timers.ts";
import { FakeClock } from "../helpers/fake_clock.ts";

/** Runs a function with an interrupter. */
async function withInterrupter(run: (interrupter: Interrupter) => unknown): Promise<void> {
  const interrupter = new Interrupter();
  const uninstall = interrupter.install();
  try {
    await run(interrupter);
  } finally {
    uninstall();
  }
}

/** Lets everything happen that needs no time. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise<void>(nextTurn);
}

/** Lets work die after its nth `await`. */
function afterAwait(n: number): () => boolean {
  let count = 0;
  return () => ++count >= n;
}

test("an interrupted function stops after an await, and neither catch nor finally sees it", async () => {
  const log: string[] = [];
  const effect = (name: string) => Promise.resolve(void log.push(name));
  const handler = async () => {
    try {
      await effect("first");
      await effect("second");
      await effect("third");
    } catch {
      log.push("catch");
    } finally {
      log.push("finally");
    }
  };
  await withInterrupter(async (interrupter) => {
    let hasEnded = false;
    const end = () => hasEnded = true;
    interrupter.watch(handler, afterAwait(2)).then(end, end);
    await settled();
    assert.equal(hasEnded, false);
  });
  assert.deepEqual(log, ["first", "second"]);
});

test("an await inside of other functions, and of several promises, is an await of the handler", async () => {
  const log: string[] = [];
  const write = async (name: string) => {
    await Promise.resolve();
    log.push(name);
  };
  const counted: string[][] = [];
  await withInterrupter(async (interrupter) => {
    for (let n = 1; n <= 4; n++) {
      void interrupter.watch(async () => {
        await write("a");
        await Promise.all([write("b"), write("c")]);
        log.push("end");
      }, afterAwait(n));
      await settled();
      counted.push(log.splice(0));
    }
  });
  assert.deepEqual(counted, [[], ["a"], ["a"], ["a", "b"]]);
});

test("a function whose process dies while it waits does not go on", async () => {
  const log: string[] = [];
  await withInterrupter(async (interrupter) => {
    let isDead = false;
    const answer = Promise.withResolvers<void>();
    const handler = async () => {
      await answer.promise;
      log.push("effect");
    };
    const living = interrupter.watch(handler, () => false);
    void interrupter.watch(handler, () => isDead);
    isDead = true;
    answer.resolve();
    await living;
    await settled();
  });
  assert.deepEqual(log, ["effect"]);
});

test("watched work sees promises as they are", async () => {
  await withInterrupter(async (interrupter) => {
    const handler = async () => {
      const promise = Promise.resolve(1);
      assert.equal(promise.constructor.name, "Promise");
      const doubled = promise.then((value) => value * 2).finally(() => {});
      assert.ok(doubled instanceof Promise);
      const rejected = promise.then(() => Promise.reject(new Error("no"))).catch(() => 3);
      return await Promise.all([await promise, doubled, rejected, promise.then()]);
    };
    assert.deepEqual(await interrupter.watch(handler, () => false), [1, 2, 3, 1]);
  });
});

test("others that wait for the same promise go on", async () => {
  await withInterrupter(async (interrupter) => {
    const shared = Promise.withResolvers<number>();
    const handler = async () => await shared.promise;
    void interrupter.watch(handler, afterAwait(1));
    const other = handler();
    shared.resolve(1);
    assert.equal(await other, 1);
    assert.equal(Object.hasOwn(shared.promise, "then"), false);
  });
});

test("a promise that rejects once nobody waits for it any more is no unhandled rejection", async () => {
  const unhandled: unknown[] = [];
  const take = (error: unknown) => void unhandled.push(error);
  process.on("unhandledRejection", take);
  try {
    await withInterrupter(async (interrupter) => {
      const conflict = () => Promise.reject(new Error("conflict"));
      void interrupter.watch(async () => await conflict(), afterAwait(1));
      await settled();
    });
  } finally {
    process.off("unhandledRejection", take);
  }
  assert.deepEqual(unhandled, []);
});

test("a timer of an interrupted function does nothing", async () => {
  await withInterrupter((interrupter) => {
    const log: string[] = [];
    let fire: () => void = () => {};
    void interrupter.watch(async () => {
      fire = interrupter.bind(() => void log.push("timer"));
      await Promise.resolve();
    }, afterAwait(1));
    fire();
    assert.equal(log.length, 0);
    interrupter.bind(() => void log.push("other"))();
    assert.deepEqual(log, ["other"]);
  });
});

test("what a timer of the server calls is no part of the handler that has set it", async () => {
  await withInterrupter(async (interrupter) => {
    let awaits = 0;
    let fire = () => Promise.resolve();
    const other = async () => await Promise.resolve();
    await interrupter.watch(() => {
      const started = Promise.withResolvers<void>();
      fire = () => {
        interrupter.outside(() => void other().then(started.resolve));
        return started.promise;
      };
      return fire();
    }, () => {
      awaits++;
      return false;
    });
    assert.equal(awaits, 0);
  });
});

test("promises are as before once the interrupter is uninstalled", async () => {
  const before = Object.getOwnPropertyDescriptor(Promise.prototype, "constructor");
  await withInterrupter(() => {
    const { promise } = Promise.withResolvers<void>();
    assert.equal(promise.constructor, Promise);
    promise.constructor = Object;
    assert.equal(promise.constructor, Object);
  });
  assert.deepEqual(Object.getOwnPropertyDescriptor(Promise.prototype, "constructor"), before);
});

test("timers of the runner's own modules stay real, and those of other code follow the clock", async () => {
  const clock = new FakeClock();
  const restore = replaceGlobals({
    clock,
    excuse: () => () => {},
    random: () => 0.5,
    bind: (callback) => callback,
  });
  try {
    let own = false;
    setTimeout(() => own = true, 1);
    await delay(1);
    assert.equal(own, false);
    assert.equal(clock.pending, 1);
    clock.advance(1);
    assert.equal(own, true);
  } finally {
    restore();
  }
});
