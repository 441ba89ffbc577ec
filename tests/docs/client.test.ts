import { deepEqual, ok } from "node:assert/strict";
import { test } from "node:test";
import * as sdk from "../../mod.ts";
import { isRead } from "../../client/connection/requests.ts";
import { REQUEST_CALLS } from "../helpers/calls.ts";
import { clientCalls } from "../helpers/client_calls.ts";
import { read } from "../project/sources.ts";

const PAGE = await read("docs/client.md");

/** What stands in the first column of the tables below a heading. */
function firstColumn(heading: string): string {
  const section = PAGE.split(`\n## ${heading}\n`)[1]!.split("\n## ")[0]!;
  return section.split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split("|")[1]!)
    .join("\n");
}

/** The fields of an interface, read from its source. */
async function fieldsOf(path: string, name: string): Promise<string[]> {
  const body = (await read(path)).split(`export interface ${name} {\n`)[1]!.split("\n}")[0]!;
  return [...body.matchAll(/^ {2}(\w+)\??:/gm)].map(([, field]) => field!);
}

test("docs/client.md has a row for every call of the client", () => {
  const column = firstColumn("Calls and deadlines");
  ok(clientCalls().length >= 12, String(clientCalls()));
  deepEqual(clientCalls().filter((name) => !column.includes(`${name}(`)), []);
});

test("docs/client.md names the calls that are repeated after a lost connection", () => {
  const section = PAGE.split("\n## Delivery of writes\n")[1]!.split("\n\n")[0]!;
  const { call: _, ...calls } = REQUEST_CALLS;
  const reads = Object.entries(calls).filter(([, { method }]) => isRead(method));
  deepEqual(
    Array.from(section.matchAll(/`(\w+)`/g), ([, name]) => name).toSorted(),
    reads.map(([name]) => name).toSorted(),
  );
});

test("docs/client.md has a row for every error", () => {
  const column = firstColumn("Errors");
  const errors = Object.entries(sdk)
    .filter(([, value]) => typeof value === "function" && value.prototype instanceof Error)
    .map(([name]) => name);
  ok(errors.length >= 8, String(errors));
  deepEqual(errors.filter((name) => !column.includes(`\`${name}\``)), []);
});

test("docs/client.md has a row for every option of the clients over HTTP", async () => {
  const column = firstColumn("HTTP");
  const options = await fieldsOf("client/options.ts", "HttpOptions");
  ok(options.length >= 8, String(options));
  deepEqual(options.filter((name) => !column.includes(`\`${name}\``)), []);
});

test("docs/client.md has a row for every status", async () => {
  const column = firstColumn("Status");
  const source = await read("client/status.ts");
  const types = [...source.matchAll(/\{ type: "(\w+)"/g)].map(([, type]) => type!);
  // `Gap` is declared elsewhere, for subscriptions too.
  if (/^ +\| Gap$/m.test(source)) types.push("gap");
  ok(types.length >= 11, String(types));
  deepEqual(types.filter((type) => !column.includes(`\`${type}\``)), []);
});

test("docs/client.md has a row for every option", async () => {
  const column = firstColumn("Options");
  const options = await fieldsOf("client/options.ts", "DispatchOptions");
  ok(options.length >= 15, String(options));
  deepEqual(options.filter((name) => !column.includes(`\`${name}\``)), []);
});
