import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import type { RecipeEvent } from "../../runner/mod.ts";
import { htmlOf } from "../report/_html.ts";

/** A report open in a browser. */
export interface OpenReport extends AsyncDisposable {
  page: Page;
  /** The addresses of all requests of the page, including its own. */
  requests: string[];
  /** Its console messages, uncaught errors and dialogs. */
  complaints: string[];
  url: string;
}

/** Settings of {@linkcode openReport}. */
export interface ReportOptions extends BrowserContextOptions {
  /** The hash of the address: `#case=1`. */
  hash?: string;
}

/** Writes a report to a file and opens it. The report is given as its events or as its text. */
export async function openReport(
  browser: Browser,
  report: Iterable<RecipeEvent> | string,
  { hash = "", ...options }: ReportOptions = {},
): Promise<OpenReport> {
  const folder = await mkdtemp(join(tmpdir(), "dispatch-report-"));
  const file = join(folder, "report.html");
  await writeFile(file, typeof report === "string" ? report : htmlOf(report));
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(String(error.stack)));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss().catch(() => {});
  });
  const url = pathToFileURL(file).href;
  await page.goto(url + hash, { waitUntil: "load" });
  return {
    page,
    requests,
    complaints,
    url,
    async [Symbol.asyncDispose]() {
      await context.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The texts of all elements that match a selector. */
export function texts(page: Page, selector: string): Promise<string[]> {
  return page.locator(selector).allTextContents();
}

/** A property of the computed style of an element. */
export function styleOf(locator: Locator, property: string): Promise<string> {
  return locator.evaluate((element, property) => {
    // The types of the DOM are not available in tests.
    const { getComputedStyle } = globalThis as unknown as {
      getComputedStyle(element: unknown): { getPropertyValue(name: string): string };
    };
    return getComputedStyle(element).getPropertyValue(property);
  }, property);
}
