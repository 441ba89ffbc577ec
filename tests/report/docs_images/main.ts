/**
 * Makes the images in docs/images from real runs: `node tests/report/docs_images/main.ts`.
 * It needs Chromium, and takes about 20 seconds.
 *
 * @module
 */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createDevServer, type DevServer } from "../../../dev/mod.ts";
import { runCli } from "../../../runner/cli/main.ts";
import { announceServer } from "../../../runner/cli/server.ts";
import { systemClock } from "../../../runtime/clock.ts";
import { launch } from "../../browser/_page.ts";
import { openReport } from "../../browser/_report.ts";
import { Screen } from "../_screen.ts";
import { SEVERAL, SHOP, SINGLE, workload } from "./_recipes.ts";
import { screenSvg } from "./_svg.ts";

const IMAGES = fileURLToPath(new URL("../../../docs/images/", import.meta.url));
const RECIPES = fileURLToPath(new URL("../../../recipes/", import.meta.url));

/** Starts a server; each image has its own, as published events stay on the server. */
function startServer(): Promise<DevServer> {
  return createDevServer({ ...workload(), port: 8787 });
}

/** Runs recipes on a screen, which shows the command line first. */
function run(screen: Screen, server: DevServer, command: string, more: string[] = []) {
  screen.write(`$ deno run -A runner.ts ${command}\n`);
  announceServer({ name: "embedded" }, screen);
  return runCli([...command.split(" "), "--url", server.url, ...more], {
    out: screen,
    err: screen,
    env: () => undefined,
    clock: systemClock,
    random: Math.random,
    signal: new AbortController().signal,
    program: () => Promise.resolve("dispatch"),
  });
}

/** Waits until the last line of a screen matches, and makes an image of the screen. */
async function capture(screen: Screen, pattern: RegExp): Promise<string> {
  for (let i = 0; i < 200; i++) {
    if (pattern.test((await screen.shown()).at(-1) ?? "")) return screenSvg(await screen.cells());
    await delay(50);
  }
  throw new Error(`the screen never showed ${pattern}`);
}

async function singleCaseImage(): Promise<void> {
  await using server = await startServer();
  const screen = new Screen({ color: true });
  const finished = run(screen, server, "order.yaml");
  await writeFile(`${IMAGES}console-case.svg`, await capture(screen, /sleep 4s +3\.[5-9] s/));
  await finished;
}

async function parallelImages(): Promise<void> {
  await using server = await startServer();
  const screen = new Screen({ color: true, rows: 60 });
  const finished = run(screen, server, "recipes --parallel 4");
  await writeFile(`${IMAGES}console-board.svg`, await capture(screen, /5\/9 .* 2\.[2-9] s/));
  await finished;
  await writeFile(`${IMAGES}console-failure.svg`, screenSvg(await screen.cells()));
}

async function reportImages(): Promise<void> {
  await using server = await startServer();
  await run(new Screen(), server, "shop --parallel 3", ["--reporter", "html=report.html"]);
  const report = await readFile("report.html", "utf8");
  const browser = await launch();
  const shots = [
    ["report-overview", "", "light", 780],
    ["report-timeline", "#case=0", "light", 880],
    ["report-failure", "#case=6", "dark", 880],
  ] as const;
  for (const [name, hash, colorScheme, height] of shots) {
    const viewport = { width: 1280, height };
    await using open = await openReport(browser, report, { hash, colorScheme, viewport });
    await open.page.locator(".lanes path").first().waitFor();
    await open.page.screenshot({ path: `${IMAGES}${name}.png` });
  }
  await browser.close();
}

async function writeRecipes(folder: string, recipes: Record<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(recipes)) await writeFile(join(folder, name), text);
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "dispatch-images-"));
  // Reports show the paths of recipes as they are given, so they have to be short.
  process.chdir(folder);
  await writeRecipes(".", SINGLE);
  await writeRecipes("recipes", SEVERAL);
  for (const name of ["failed-job", "order-payment", "order-smoke"]) {
    await cp(`${RECIPES}${name}.yaml`, `recipes/${name}.yaml`);
  }
  await writeRecipes("shop", SHOP);
  await singleCaseImage();
  await parallelImages();
  await reportImages();
  process.chdir(IMAGES);
  await rm(folder, { recursive: true });
}

await main();
