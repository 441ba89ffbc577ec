import { deepEqual, equal } from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import type { Notice } from "../../runner/health/model.ts";
import { send } from "../../runner/notify/send.ts";
import type { Settings, Target } from "../../runner/notify/target.ts";
import { command } from "../../runner/notify/targets/command.ts";
import { mail } from "../../runner/notify/targets/mail.ts";
import { eventually, within } from "../helpers/eventually.ts";
import { FakeClock } from "../helpers/fake_clock.ts";
import { runnerCli } from "../runner/_cli.ts";
import { withFiles } from "../runner/_recipe.ts";
import { KEY } from "./_health.ts";

const NOTICE: Notice = {
  ...{ id: "smoke-1-raised", kind: "raised", check: { ...KEY, id: "smoke" }, incident: "smoke-1" },
  ...{ at: 0, since: 0, failures: 1, failure: "it is false" },
};

/** Tells a target of the notice, on a clock that stands still. */
function tell(target: Target) {
  const clock = new FakeClock();
  const stop = new AbortController();
  const message = { notice: NOTICE, text: "ALERT" };
  return { clock, stop, told: send(target, message, { fetch, clock, signal: stop.signal }) };
}

/** Runs a script of Node's as a command, in a directory that it can write to. */
async function withScript(text: string, use: (target: Target, out: string) => Promise<void>) {
  const directory = await mkdtemp(join(tmpdir(), "dispatch-slow-"));
  try {
    const [script, out] = [join(directory, "tell.mjs"), join(directory, "out")];
    await writeFile(script, text);
    const flags = "Deno" in globalThis ? ["run", "-A"] : [];
    const run = [process.execPath, ...flags, script, out, ...flags];
    await use(await command.open({ run } as Settings), out);
  } finally {
    await rm(directory, { recursive: true });
  }
}

test("a mail server that never comes to an end is given up after 10 s, or at once at a stop", async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    // The greeting goes on and on, as lines that a client has to wait for the end of.
    socket.write("220-wait\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const target = await mail.open({
    ...{ smtp: `smtp://127.0.0.1:${port}`, from: "a@example.com", to: ["b@example.com"] },
  });
  const late = tell(target);
  await eventually(() => sockets.size === 1);
  late.clock.advance(10_000);
  deepEqual(await within(late.told, "the attempt", 1_000), {
    ...{ text: "no answer within 10 s", final: false },
  });
  const stopped = tell(target);
  await eventually(() => sockets.size === 2);
  stopped.stop.abort();
  equal((await within(stopped.told, "the attempt", 1_000))!.final, false);
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
});

test("a command has succeeded with its exit, whatever it leaves in the background", async () => {
  // The other process has the same standard error, and does not end by itself.
  const script = `import { spawn } from "node:child_process";
    import { writeFileSync } from "node:fs";
    const [out, ...flags] = process.argv.slice(2);
    const idle = ["--eval", "setInterval(() => {}, 1000)"];
    const args = flags.length > 0 ? ["eval", idle[1]] : idle;
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
    child.on("spawn", () => {
      writeFileSync(out, String(child.pid));
      process.exit(0);
    });`;
  await withScript(script, async (target, out) => {
    try {
      equal(await within(tell(target).told, "the command"), undefined);
    } finally {
      process.kill(Number(await readFile(out, "utf8")), "SIGKILL");
    }
  });
});

test("a command that ignores signals is not left behind after its time", async () => {
  const script = `import { writeFileSync } from "node:fs";
    process.on("SIGTERM", () => {});
    setInterval(() => {}, 1000);
    writeFileSync(process.argv[2], String(process.pid));`;
  await withScript(script, async (target, out) => {
    const { clock, told } = tell(target);
    const pid = async () => Number(await readFile(out, "utf8").catch(() => "0"));
    await eventually(async () => await pid() > 0);
    clock.advance(10_000);
    equal((await within(told, "the attempt"))!.final, false);
    const id = await pid();
    await eventually(() => {
      try {
        return !process.kill(id, 0);
      } catch {
        return true;
      }
    });
  });
});

test("the process does not wait for what targets and recipes have left open", async () => {
  const recipe = 'schedule: { cron: "* * * * * *" }\nsteps: [{ assert: "true" }]\n';
  await withFiles({ "r.yaml": recipe }, async (directory) => {
    const stop = new AbortController();
    let stuck = 0;
    const { code } = await runnerCli(["schedule", directory, "--log", "json"], {
      ...{ signal: stop.signal, onStuck: () => void stuck++ },
      onOut: (text) => {
        if (text.includes('"finished"')) stop.abort();
      },
    });
    deepEqual([code, stuck], [0, 1]);
  });
});
