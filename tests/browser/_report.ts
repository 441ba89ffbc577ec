import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import type { RunEvent } from "../../runner/mod.ts";
import { htmlOf } from "../report/_html.ts";

/** A report that is open in a browser. */
export interface OpenReport extends AsyncDisposable {
  page: Page;
  /** The addresses of everything the page asked for, itself included. */
  requests: string[];
  /** What it complained about, and what it asked a person. */
  complaints: string[];
  url: string;
}

/** Settings of {@linkcode openReport}. */
export interface ReportOptions extends BrowserContextOptions {
  /** What stands behind the address: `#case=1`. */
  hash?: string;
}

/** Writes the report of some events, or a report as text, to a file, and opens it from there. */
export async function openReport(
  browser: Browser,
  report: Iterable<RunEvent> | string,
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

/** The texts of all elements that a selector finds. */
export function texts(page: Page, selector: string): Promise<string[]> {
  return page.locator(selector).allTextContents();
}

/** A property of an element's style, as the browser worked it out. */
export function styleOf(locator: Locator, property: string): Promise<string> {
  return locator.evaluate((element, property) => {
    // Tests are checked without the types of a browser.
    const { getComputedStyle } = globalThis as unknown as {
      getComputedStyle(element: unknown): { getPropertyValue(name: string): string };
    };
    return getComputedStyle(element).getPropertyValue(property);
  }, property);
}
