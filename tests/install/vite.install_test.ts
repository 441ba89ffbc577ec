import { equal, ok } from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { before, test } from "node:test";
import { createDevServer, referenceWorkload } from "../../dev/mod.ts";
import { launch, openPage, servePage } from "../browser/_page.ts";
import { findChromium, NO_CHROMIUM } from "../run_chromium.mjs";
import { installPackage, nodeOf, tool } from "./_package.ts";

const APPLICATION = `
import { Dispatch } from "@dispatch/sdk";

globalThis.runJob = async (url) => {
  const client = await Dispatch.connect({ url, token: "demo-token" });
  const job = await client.enqueue("send-email", { to: "a@example.com", subject: "Hello" });
  const { state } = await job.wait({ timeout: 10_000 });
  await client.close();
  return state;
};
`;

const PAGE = '<!doctype html><script type="module" src="/application.js"></script>';

/** The code that Vite has built from an application. */
async function builtScript(directory: string): Promise<string> {
  const assets = join(directory, "dist", "assets");
  const scripts = (await readdir(assets)).filter((name) => /^index.*\.js$/.test(name));
  equal(scripts.length, 1);
  return await readFile(join(assets, scripts[0]!), "utf8");
}

let script: string;

before(async () => {
  await using installed = await installPackage();
  await installed.write("application.js", APPLICATION);
  await installed.write("index.html", PAGE);
  const { code, output } = await installed.run(nodeOf("node"), tool("vite"), "build");
  equal(code, 0, output);
  ok(!output.includes("externalized for browser"), output);
  script = await builtScript(installed.directory);
});

test("an application that Vite builds from the package has no module of Node in it", () => {
  ok(!script.includes("node:"));
});

const skip = findChromium() === undefined && process.env["CI"] === undefined && NO_CHROMIUM;

test("an application that Vite builds from the package works in a browser", { skip }, async () => {
  await using server = await createDevServer(referenceWorkload());
  await using site = await servePage(script);
  const browser = await launch();
  try {
    const [page, errors] = await openPage(browser, site.url);
    equal(await page.evaluate(`runJob(${JSON.stringify(server.url)})`), "completed");
    equal(errors.length, 0, String(errors[0]));
  } finally {
    await browser.close();
  }
});
