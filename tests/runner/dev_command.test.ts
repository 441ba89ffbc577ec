import { deepEqual, equal, match } from "node:assert/strict";
import { test } from "node:test";
import { createDevServer } from "../../dev/mod.ts";
import { runnerCli } from "./_cli.ts";

/** Runs `dev` with these arguments; it must fail. */
async function devError(...args: string[]): Promise<[number, string]> {
  const { code, err } = await runnerCli(["dev", ...args]);
  const [error, hint] = err.split("\n");
  equal(hint, "Try: dispatch dev --help");
  return [code, error!];
}

test("dev says that it cannot listen on an address of another machine", async () => {
  for (const host of ["192.0.2.1", "no-such-host.invalid", "127.0.0.1:80", "http://localhost"]) {
    const [code, error] = await devError("--host", host);
    const shown = host.includes(":") ? `[${host}]` : host;
    equal(code, 2);
    equal(error, `error: Cannot listen on ${shown}:8787: this machine has no such name or address`);
  }
});

test("dev says that the port is in use", async () => {
  await using server = await createDevServer();
  deepEqual(await devError("--port", String(server.port)), [
    2,
    `error: Cannot listen on 127.0.0.1:${server.port}: the port is already in use`,
  ]);
});

test("dev refuses a port out of range, a wrong origin, quirk and fault, and names them", async () => {
  for (
    const [option, value, message] of [
      ["--port", "65536", /^error: --port must be a number from 0 to 65535, not '65536'$/],
      ["--port", "-1", /^error: --port must be a number from 0 to 65535, not '-1'$/],
      ["--host", "", /^error: Cannot start dev server: option 'host' must be a text that is not/],
      ["--allow-origin", "a.example", /option 'allowOrigins' must be a list of origins such as/],
      ["--quirk", "zero-stat=on", /no such quirk; did you mean 'zero-stats'\?$/],
      ["--fault", "cutt", /'do' is 'cutt'; did you mean 'cut'\?$/],
    ] as const
  ) {
    const [code, error] = await devError(`${option}=${value}`);
    equal(code, 2, option);
    match(error, message);
  }
});
