import { deepEqual, equal, match, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { readJson } from "../project/sources.ts";
import { type Result, startJob } from "./_runner.ts";

const skip = process.platform === "win32" ? "the programs of these tests are shell scripts" : false;

const { version } = await readJson<{ version: string }>("deno.json");
const PROGRAM = "#!/bin/sh\necho version: $1\n";
const SUM = createHash("sha256").update(PROGRAM).digest("hex");
const OTHER = "0".repeat(64);

/** What the server of the releases has, by path. */
const releases: Record<string, string> = {};
for (const release of [`download/v${version}`, "download/v2.0.0-rc.1", "latest/download"]) {
  releases[`/releases/${release}/dispatch-linux-x64`] = PROGRAM;
  releases[`/releases/${release}/dispatch-macos-arm64`] = PROGRAM;
  releases[`/releases/${release}/SHA256SUMS`] =
    `${OTHER}  dispatch-linux-x64.sig\n${SUM}  dispatch-linux-x64\n${OTHER}  dispatch-macos-arm64\n`;
}
releases["/releases/download/v3.0.0/dispatch-linux-x64"] = PROGRAM;
releases["/releases/download/v3.0.0/SHA256SUMS"] = `${SUM}  dispatch-linux-arm64\n`;
releases["/releases/download/v4.0.0/dispatch-linux-x64"] = PROGRAM;

const server = createServer((request, response) => {
  const text = releases[request.url!];
  response.writeHead(text === undefined ? 404 : 200).end(text);
});
let downloads: string;

before(async () => {
  await once(server.listen(0, "127.0.0.1"), "listening");
  downloads = `http://127.0.0.1:${(server.address() as AddressInfo).port}/releases/`;
});
after(() => {
  server.close();
  server.closeAllConnections();
});

/** Runs the first step of the action. */
async function install(
  inputs: Record<string, string>,
  env: Record<string, string> = {},
): Promise<Result & { path: string; installed: boolean }> {
  await using job = await startJob();
  const result = await job.use({ downloads, ...inputs }, { env, steps: ["install"] });
  return {
    ...result,
    path: await job.file("GITHUB_PATH"),
    installed: existsSync(join(job.workspace, "..", "temp", "dispatch", "dispatch")),
  };
}

test("installs the release of its own version, and puts it on the PATH", { skip }, async () => {
  const { code, log, path, steps, installed } = await install({});
  deepEqual([code, log, installed], [0, "version: --version\n", true]);
  match(path, /\/temp\/dispatch\n$/);
  match(steps["install.executable"]!, /\/temp\/dispatch\/dispatch$/);
});

test(
  "installs another release, the latest, or one whose checksum an input has",
  { skip },
  async () => {
    for (const version of ["v2.0.0-rc.1", "latest"]) {
      equal((await install({ version })).code, 0);
    }
    equal((await install({ version: "4.0.0", checksum: SUM.toUpperCase() })).code, 0);
  },
);

test("installs nothing whose checksum is another or is missing", { skip }, async () => {
  const table: [Record<string, string>, Record<string, string>, RegExp][] = [
    [{ checksum: OTHER }, {}, /the checksum of dispatch-linux-x64 is [0-9a-f]{64}, not 0{64}$/],
    [{}, { RUNNER_OS: "macOS", RUNNER_ARCH: "ARM64" }, /the checksum of dispatch-macos-arm64 is/],
    [{ version: "3.0.0" }, {}, /SHA256SUMS has no checksum of dispatch-linux-x64$/],
    [{ version: "4.0.0" }, {}, /Cannot download http:.*\/v4\.0\.0\/SHA256SUMS$/],
    [{ version: "5.0.0" }, {}, /Cannot download http:.*\/v5\.0\.0\/dispatch-linux-x64$/],
    [{}, { RUNNER_ARCH: "ARM" }, /there is no executable for Linux on ARM$/],
  ];
  for (const [inputs, env, message] of table) {
    const { code, log, path, installed } = await install(inputs, env);
    deepEqual([code, path, installed], [3, "", false], log);
    match(log.trimEnd(), message);
    ok(log.includes("::error title=dispatch::"));
  }
});

test("refuses a version that could lead elsewhere", { skip }, async () => {
  for (const version of ["", "main", "1.0", "../../v1.0.0", "1.0.0/../x", "1.0.0\n::error::x"]) {
    const { code, log, installed } = await install({ version });
    deepEqual([code, installed], [2, false]);
    match(
      log,
      /^::error title=dispatch::The input version must be latest or like 1\.2\.3, not .*\n$/,
    );
  }
});

test("says so when the executable cannot run on the machine", { skip }, async () => {
  releases["/releases/download/v6.0.0/dispatch-linux-x64"] =
    "#!/bin/sh\necho '::error::x'; exit 1\n";
  const sum = createHash("sha256")
    .update(releases["/releases/download/v6.0.0/dispatch-linux-x64"]!).digest("hex");
  const { code, log } = await install({ version: "6.0.0", checksum: sum });
  equal(code, 3);
  match(log, /^::error title=dispatch::Cannot run dispatch .*needs glibc.*: ::error::x\n$/);
});
